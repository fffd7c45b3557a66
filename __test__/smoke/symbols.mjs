// What an addon asks of the system that loads it, as its dynamic symbols say.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

/** The oldest C library that a GNU addon must load with: that of RHEL 7 and Amazon Linux 2's predecessor. */
const GLIBC_FLOOR = [2, 17]

/** Throws unless the addon, for Linux, loads with the C library that its target names, and is what Node.js looks for. */
export function checkSymbols(target, addon) {
  const symbols = readelf('--dyn-syms', addon)
  const asked = [...symbols.matchAll(/@GLIBC_([\d.]+)/g)].map(([, version]) => version.split('.').map(Number))
  const tooNew = asked.filter(([major, minor]) => major > GLIBC_FLOOR[0] || (major === GLIBC_FLOOR[0] && minor > GLIBC_FLOOR[1]))
  assert.deepEqual(tooNew, [], `${addon} asks for a glibc newer than ${GLIBC_FLOOR.join('.')}`)
  assert.equal(asked.length > 0, target.endsWith('-gnu'), `${addon}: its C library is not that of ${target}`)
  assert.match(symbols, / napi_register_module_v1$/m)
  // Node.js' functions are looked up when the addon is loaded: their names are no symbols that a linker would have to find.
  assert.doesNotMatch(symbols, /UND (napi|node_api)_/)
  const libraries = [...readelf('--dynamic', addon).matchAll(/Shared library: \[([^\]]+)\]/g)].map(([, name]) => name)
  const system = /^(lib(c|m|dl|rt|pthread|gcc_s)\.so(\.\d+)?|ld-linux-[a-z0-9-]+\.so\.\d|ld-musl-[a-z0-9_]+\.so\.1)$/
  assert.deepEqual(libraries.filter((name) => !system.test(name)), [], `${addon} needs libraries that a system may not have`)
}

/** binutils' objdump reads its own machine's files only; readelf those of all. */
const readelf = (what, file) => execFileSync('readelf', ['--wide', what, file], { encoding: 'utf8', maxBuffer: 1e8 })
