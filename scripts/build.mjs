// Compiles ts/ to CommonJS in dist/ and writes one ES module beside each public entry that re-exports it, so that a process that
// mixes `import` and `require` has one copy of every class and one set of pools.
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const entries = ['index', 'pg/index', 'emulator/index']

rmSync(join(root, 'dist'), { recursive: true, force: true })
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', root], { stdio: 'inherit' })

for (const entry of entries) {
  const compiled = resolve(root, 'dist', `${entry}.js`)
  const names = Object.keys(require(compiled)).filter((name) => name !== 'default' && name !== '__esModule')
  const file = `./${entry.split('/').pop()}.js`
  writeFileSync(
    resolve(root, 'dist', `${entry}.mjs`),
    `import entry from '${file}'\nexport const { ${names.join(', ')} } = entry\nexport default entry\n`,
  )
}
