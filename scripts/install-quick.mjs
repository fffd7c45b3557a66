/** Puts the addon that `cargo build --profile quick` made where ts/native.ts looks for it. */

import { copyFileSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.mjs'

const { platform, arch } = process
const libraries = { linux: 'liblakebase_native.so', darwin: 'liblakebase_native.dylib', win32: 'lakebase_native.dll' }
const libc = platform === 'linux' && (process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl')
const target = [platform, arch, libc, platform === 'win32' && 'msvc'].filter(Boolean).join('-')

const built = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'quick', libraries[platform])
const addon = join(root, 'npm', 'local', `lakebase-native.${target}.node`)
mkdirSync(join(root, 'npm', 'local'), { recursive: true })
// Renamed into place: writing into a file that a running process has loaded would crash that process.
copyFileSync(built, `${addon}.new`)
renameSync(`${addon}.new`, addon)
