/** Finds and loads the Rust addon. Everything that crosses to Rust is declared here, with the same names as in src/bridge. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** PEM texts of a fresh certificate authority and a server certificate signed by it. */
export interface ServerCertificate {
  ca: string
  certificate: string
  key: string
}

export interface Native {
  issueCertificate(names: string[]): ServerCertificate
}

/** The Rust target of this process, in napi-rs' short form: `linux-x64-gnu`, `darwin-arm64`, … */
function target(): string {
  const { platform, arch } = process
  if (platform !== 'linux') return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
  // glibc reports its version in the process report; musl has none.
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return `linux-${arch}-${report.header?.glibcVersionRuntime ? 'gnu' : 'musl'}`
}

function load(): Native {
  const name = target()
  // A checkout builds into npm/local; an installed package finds the addon in its platform package.
  const local = join(__dirname, '..', 'npm', 'local', `lakebase-native.${name}.node`)
  if (existsSync(local)) return require(local) as Native
  try {
    return require(`lakebase-native-${name}`) as Native
  } catch (cause) {
    throw new Error(
      `lakebase-native has no addon for ${name}: the optional dependency lakebase-native-${name} is not installed. ` +
        'Install without --omit=optional, on the platform where the code will run.',
      { cause },
    )
  }
}

export const native: Native = load()
