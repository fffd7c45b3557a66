// Coming from @databricks/lakebase 0.6: changing the import is the whole migration.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { deploy } from '../support/deployment.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(createRequire(import.meta.url).resolve('lakebase-native/package.json'))
const THEIRS = '@databricks/lakebase'
const OURS = 'lakebase-native'

const app = deploy()
const program = readFileSync(join(here, 'program.mts'), 'utf8')
const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  esModuleInterop: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: ['node'],
}

// Below node_modules, where the packages of the program are found.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
const directory = mkdtempSync(join(root, 'node_modules/.cache/migration-'))
mkdirSync(join(directory, 'node_modules'))
symlinkSync(root, join(directory, 'node_modules', OURS), 'junction')
after(() => rmSync(directory, { recursive: true, force: true }))

/** The program with another package in its import. */
function written(name) {
  const file = join(directory, `${name.replace(/\W/g, '-')}.mts`)
  writeFileSync(file, program.replaceAll(`'${THEIRS}'`, `'${name}'`))
  return file
}

function messages(files, more = {}) {
  const compiled = ts.createProgram(files, { ...options, ...more })
  return ts.getPreEmitDiagnostics(compiled).map(({ file, start, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

/** Runs the program in a process of its own; resolves with what it has seen. */
async function seenWith(name) {
  const file = written(name).replace(/\.mts$/, '.mjs')
  writeFileSync(file, ts.transpileModule(program.replaceAll(`'${THEIRS}'`, `'${name}'`), { compilerOptions: { ...options, module: ts.ModuleKind.ESNext } }).outputText)
  const own = { NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, PERSONAL_ACCESS_TOKEN: app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN }
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...app.emulator.env, ...own } })
  return JSON.parse(stdout)
}

test('a program that uses all of it compiles with either package in the import', () => {
  for (const name of [THEIRS, OURS]) assert.deepEqual(messages([written(name)]), [], name)
})

test('it sees the same with either', async () => {
  const [theirs, ours] = [await seenWith(THEIRS), await seenWith(OURS)]
  assert.deepEqual(ours, theirs)
  assert.deepEqual(ours.select, [{ n: 42 }])
})

test('every name that it exports is exported here, values and types', async () => {
  const require = createRequire(join(root, 'package.json'))
  const declarations = join(dirname(require.resolve(THEIRS)), 'index.d.ts')
  const source = ts.createProgram([declarations], options)
  const file = source.getSourceFile(declarations)
  const exported = source.getTypeChecker().getExportsOfModule(source.getTypeChecker().getSymbolAtLocation(file)).map(({ name }) => name)
  assert.ok(exported.length > 15)
  const check = join(directory, 'names.mts')
  writeFileSync(check, `export type { ${exported.join(', ')} } from '${OURS}'\n`)
  assert.deepEqual(messages([check]), [])
  const [theirs, ours] = [await import(THEIRS), await import(OURS)]
  assert.deepEqual(Object.keys(theirs).filter((name) => !(name in ours)), [])
  assert.deepEqual(ours.RequestedClaimsPermissionSet, theirs.RequestedClaimsPermissionSet)
})

test('a pool of ours logs credentials and lost connections, where a logger is given', async () => {
  const lines = []
  const logger = Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => [level, (...line) => lines.push([level, ...line])]))
  const pool = app.pool({ logger, max: 1 })
  await pool.query('select 1')
  const lost = new Promise((resolve) => pool.once('remove', resolve))
  await app.emulator.terminateConnections()
  await lost
  assert.deepEqual(lines.map(([level]) => level).sort(), ['debug', 'error'])
  assert.ok(!JSON.stringify(lines).includes(await pool.getToken()))
})

test('only createLakebasePool() looks up what is missing, and the options for others say so', async () => {
  const { getLakebasePgConfig } = await import(OURS)
  app.environment({ PGHOST: undefined, PGDATABASE: undefined })
  assert.throws(getLakebasePgConfig, {
    name: 'ConfigurationError',
    code: 'CONFIGURATION_ERROR',
    message: /^host \(PGHOST\): not given: .* looks it up; database \(PGDATABASE\): not given/,
  })
  const { rows } = await app.pool().query('select 1 as one')
  assert.deepEqual(rows, [{ one: 1 }])
})

test("a workspace client without the SDK asks for credentials only, and says so", async () => {
  const { getWorkspaceClient } = await import(OURS)
  const request = { method: 'GET', path: '/api/2.0/clusters/list', headers: new Headers(), raw: false }
  await assert.rejects(getWorkspaceClient({}).apiClient.request(request), { name: 'ConfigurationError', message: /make a WorkspaceClient of @databricks\/sdk-experimental/ })
})
