/** Compiles the crate with the oldest Rust that Cargo.toml promises, which rustup brings. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.mjs'

const [, version] = /^rust-version = "(.*)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))
const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
execFileSync('rustup', ['toolchain', 'install', version, '--profile', 'minimal'], options)
execFileSync('rustup', ['run', version, 'cargo', 'check', '--lib', '--locked', '--target-dir', join('target', 'rust-version')], options)
