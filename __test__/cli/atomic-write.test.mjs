// A process that is killed in the middle of writing a file leaves the old one or the new one.
import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { folder, lakebase } from './lakebase.mjs'

const app = deploy()

/** Loaded before the program: kills it at the n-th call that changes a file, in the middle of a write when it is one. */
const killer = `
const fs = require('node:fs')
const at = Number(process.env.KILL_AT)
let calls = 0
const die = () => process.kill(process.pid, 'SIGKILL')
for (const name of ['openSync', 'writeFileSync', 'fsyncSync', 'closeSync', 'chmodSync', 'renameSync', 'rmSync']) {
  const call = fs[name]
  fs[name] = (...args) => {
    if (calls++ === at) {
      if (name === 'writeFileSync') fs.writeSync(args[0], String(args[1]).slice(0, 40))
      die()
    }
    return call(...args)
  }
}
`

const before = '# what was there\nKEEP=1\nPGPASSWORD=old\n'
const after = /^# what was there\nKEEP=1\nPGPASSWORD=ey\S+\n$/

test('killed before any call that changes a file, the file is the old one or the new one', async (t) => {
  const cwd = folder()
  writeFileSync(join(cwd, 'killer.cjs'), killer)
  const file = join(cwd, '.env.local')
  const seen = []
  for (let at = 0; ; at++) {
    writeFileSync(file, before)
    const env = { ...app.emulator.env, KILL_AT: String(at) }
    const { signal, code, stderr } = await lakebase(['token', '--write', '.env.local'], { cwd, env, execArgv: ['--require', './killer.cjs'] })
    const text = readFileSync(file, 'utf8')
    const found = text === before ? 'old' : after.test(text) ? 'new' : `neither: ${text}`
    seen.push(`${at}: ${signal ?? `exit code ${code}`}, ${found}`)
    assert.doesNotMatch(found, /neither/)
    if (signal === null) {
      assert.equal(code, 0, stderr)
      assert.equal(found, 'new')
      break
    }
    assert.equal(signal, 'SIGKILL')
  }
  t.diagnostic(seen.join('; '))
  assert.ok(seen.some((line) => /SIGKILL, old/.test(line)) && seen.some((line) => /SIGKILL, new/.test(line)), seen.join('\n'))
})

test('a symbolic link stays one, and what it leads to is replaced', async () => {
  const cwd = folder()
  mkdirSync(join(cwd, 'secrets'))
  writeFileSync(join(cwd, 'secrets', 'env'), before)
  symlinkSync('secrets/env', join(cwd, '.env.local'))
  assert.equal((await lakebase(['token', '--write', '.env.local'], { cwd, env: app.emulator.env })).code, 0)
  assert.ok(lstatSync(join(cwd, '.env.local')).isSymbolicLink())
  assert.match(readFileSync(join(cwd, 'secrets', 'env'), 'utf8'), after)
  assert.deepEqual(readdirSync(join(cwd, 'secrets')), ['env'])
})

test('a file that others could read becomes its owner\'s, and no temporary file is left', async () => {
  const cwd = folder()
  const file = join(cwd, '.env.local')
  writeFileSync(file, before)
  chmodSync(file, 0o644)
  assert.equal((await lakebase(['token', '--write', '.env.local'], { cwd, env: app.emulator.env })).code, 0)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(cwd), ['.env.local'])
})

test('where the folder cannot be written, the error says so', async () => {
  const cwd = folder()
  const { code, stderr } = await lakebase(['token', '--write', 'no/such/.env.local'], { cwd, env: app.emulator.env })
  assert.equal(code, 1)
  assert.match(stderr, /no\/such\/\.env\.local cannot be written: ENOENT/)
})
