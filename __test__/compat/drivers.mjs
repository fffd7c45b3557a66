// Which modules are compared: pg is the oracle, COMPAT_SUBJECT (default lakebase-native/pg) is what is held against it.
import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(import.meta.url)

export const ORACLE = 'pg'
export const SUBJECT = process.env.COMPAT_SUBJECT || 'lakebase-native/pg'

/** The file a driver's specifier means; a path is relative to the working directory. */
export function resolveDriver(specifier) {
  return require.resolve(/^[./]/.test(specifier) ? path.resolve(specifier) : specifier)
}

export function loadDriver(specifier) {
  return require(resolveDriver(specifier))
}

/** An extension package that the suite needs; says what to install when it is missing. */
export function loadExtension(name) {
  try {
    return require(name)
  } catch (cause) {
    throw new Error(`${name} is not installed: add it to devDependencies, it is needed to prove that it runs unmodified`, { cause })
  }
}
