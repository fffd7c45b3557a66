// What the tarballs hold.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { pack, root } from './installation.mjs'

const packed = await pack()

function filesOf(tarball) {
  const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
  return list.trim().split('\n').map((file) => file.replace(/^package\//, '')).sort()
}

test('the package holds every compiled module once, the declarations and the documents, and nothing else', () => {
  const modules = readdirSync(join(root, 'ts'), { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.replaceAll('\\', '/').replace(/\.ts$/, ''))
  const compiled = (module) => join(root, 'dist', `${module}.js`)
  const together = [...readFileSync(compiled('core'), 'utf8').matchAll(/^ {2}"([^."]+)\.js"\(/gm)].map(([, module]) => module)
  assert.deepEqual(together.filter((module) => !modules.includes(module)), [])
  for (const module of together.filter((one) => existsSync(compiled(one)))) {
    assert.match(readFileSync(compiled(module), 'utf8'), /^module\.exports = require\('(\.\.?\/)+core\.js'\)\['[^']+'\]\(\)\n0 && .*\n$/, module)
  }
  const files = modules.filter((module) => !together.includes(module) || existsSync(compiled(module)))

  const entries = ['index', 'pg/index', 'emulator/index', 'drizzle/index', 'drizzle/migrator']
  // Compiled for each module system.
  const twice = modules.filter((module) => module.startsWith('drizzle/'))
  assert.deepEqual(
    filesOf(packed.main),
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'index.d.ts',
      'package.json',
      // What the README links to.
      ...readdirSync(join(root, 'docs')).map((document) => `docs/${document}`),
      ...[
        'core.js',
        'LICENSES.txt',
        'unsupported.mjs',
        ...['commander.js', 'prompts.js', 'LICENSES.txt'].map((file) => `cli/bundled/${file}`),
        ...files.map((module) => `${module}.js`),
        ...new Set([...entries, ...twice].map((module) => `${module}.mjs`)),
        ...entries.flatMap((entry) => [`${entry}.d.ts`, `${entry}.d.mts`]),
      ].map((file) => `dist/${file}`),
    ].sort(),
  )
})

test('the licences of what is bundled go along', () => {
  const licences = readFileSync(join(root, 'dist', 'LICENSES.txt'), 'utf8')
  for (const name of ['pg-types', 'pg-int8', 'postgres-array', 'postgres-bytea', 'postgres-date', 'postgres-interval', 'xtend']) {
    assert.match(licences, new RegExp(`^${name} \\d.*\\n-+\\n`, 'm'), name)
  }
  assert.equal(licences.match(/permission (is hereby granted|to use)/gi).length, 7)
})

test('a platform package holds the addon, the licences of what is linked into it and the documents, and nothing else', () => {
  const target = /lakebase-native-(.+)-\d+\.\d+\.\d+/.exec(basename(packed.platform))[1]
  assert.deepEqual(filesOf(packed.platform), ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'bundled.mjs', `lakebase-native.${target}.node`, 'package.json'])
})
