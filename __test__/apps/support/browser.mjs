// Chromium, driven by the app's own playwright-core.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after } from 'node:test'

const CHROMIUM = '/usr/bin/chromium'

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** Debian's Chromium, which is installed when it is missing. Throws an error that says what to do when it cannot be. */
function install() {
  if (existsSync(CHROMIUM)) return
  try {
    const options = { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
    execFileSync('apt-get', ['update'], options)
    execFileSync('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], options)
  } catch (error) {
    const reason = String(error.stderr ?? error.message).trim().split('\n').at(-1)
    throw new Error(`this test needs Chromium at ${CHROMIUM}, and apt-get could not install it (${reason}). On Debian, as root: apt-get install chromium`, { cause: error })
  }
}

/** A browser that is closed after the file's tests. `app`: a folder with playwright-core among its dependencies. */
export async function launchBrowser(app) {
  install()
  const { chromium } = createRequire(join(app, 'package.json'))('playwright-core')
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  after(() => browser.close())
  return browser
}
