// What the tarballs hold.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { pack, root } from './installation.mjs'

const packed = await pack()

function filesOf(tarball) {
  const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
  return list.trim().split('\n').map((file) => file.replace(/^package\//, '')).sort()
}

test('the package holds every compiled module, the declarations and the documents, and nothing else', () => {
  const modules = readdirSync(join(root, 'ts'), { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => `dist/${file.replaceAll('\\', '/').replace(/\.ts$/, '')}`)
  const entries = ['dist/index', 'dist/pg/index', 'dist/emulator/index', 'dist/drizzle/index', 'dist/drizzle/migrator']
  // Compiled for each module system.
  const twice = modules.filter((module) => module.startsWith('dist/drizzle/'))
  assert.deepEqual(
    filesOf(packed.main),
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'index.d.ts',
      'package.json',
      'dist/unsupported.mjs',
      // What the README links to.
      ...readdirSync(join(root, 'docs')).map((document) => `docs/${document}`),
      ...['commander.js', 'prompts.js', 'LICENSES.txt'].map((file) => `dist/cli/bundled/${file}`),
      ...modules.map((module) => `${module}.js`),
      ...new Set([...entries, ...twice].map((module) => `${module}.mjs`)),
      ...entries.flatMap((entry) => [`${entry}.d.ts`, `${entry}.d.mts`]),
    ].sort(),
  )
})

test('a platform package holds the addon, the licences of what is linked into it and the documents, and nothing else', () => {
  const target = /lakebase-native-(.+)-\d+\.\d+\.\d+/.exec(basename(packed.platform))[1]
  assert.deepEqual(filesOf(packed.platform), ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'bundled.mjs', `lakebase-native.${target}.node`, 'package.json'])
})
