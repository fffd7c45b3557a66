// Puts the addon that `cargo build --profile quick` made where ts/native.ts looks for it.
import { copyFileSync, mkdirSync } from 'node:fs'

const { platform, arch } = process
const libraries = { linux: 'liblakebase_native.so', darwin: 'liblakebase_native.dylib', win32: 'lakebase_native.dll' }
const suffix = { linux: `linux-${arch}-gnu`, darwin: `darwin-${arch}`, win32: `win32-${arch}-msvc` }[platform]
mkdirSync('npm/local', { recursive: true })
copyFileSync(`target/quick/${libraries[platform]}`, `npm/local/lakebase-native.${suffix}.node`)
