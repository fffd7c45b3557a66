// Every code block of README.md and docs/ does what it says, on the Node.js that runs this: CI runs it on the oldest that is supported.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'
import { blocksOf, commandsOf, elsewhere, environmentOf, filesOf, guides, programOf, readDocument, root, tables } from './blocks.mjs'

const { name, scripts, engines, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const app = deploy({ sql: tables })

/** Runs a program to its end; anything on its standard error fails the test. */
async function execute(command, args, { cwd = root, input, environment = {} } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, ...environment },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(input)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
  const [code] = await once(child, 'close')
  return { code, ...output }
}

/** A module, from standard input. An example does not end what it opens; it has to come to its last line. */
async function runModule(program, environment) {
  const { code, stdout, stderr } = await execute(process.execPath, ['--input-type=module', '-'], {
    input: `${program}\nconsole.log('the last line')\nprocess.exit()\n`,
    environment,
  })
  assert.deepEqual({ code, stderr, reached: stdout.includes('the last line') }, { code: 0, stderr: '', reached: true }, program)
}

/** `npm ci` has been run, or this would not; `npm test` is what runs this. A script runs as it is, on what is built. */
async function runCommand(command) {
  if (command === 'npm ci') return
  if (command === 'npm test') return assert.ok(scripts.test)
  // What this installs, __test__/package packs, installs and uses.
  const [, packages] = /^npm install (?:--save-dev )?([\w@/ -]+)$/.exec(command) ?? []
  if (packages) return assert.ok(packages.split(' ').every((one) => one === name || one in devDependencies), command)
  const [, program] = /^npx lakebase (.*)$/.exec(command) ?? []
  if (program) return findInHelp(program)
  const [, script] = /^npm run ([\w:]+)$/.exec(command) ?? []
  assert.ok(script && scripts[script], `no way to run "${command}": add one to code.test.mjs`)
  const { code, stdout, stderr } = await execute('npm', ['run', script, '--ignore-scripts'])
  assert.equal(code, 0, `${stdout}\n${stderr}`)
}

/** The command line has the command and its flags. __test__/cli runs them. */
async function findInHelp(program) {
  const [name, ...words] = program.split(' -- ')[0].split(' ')
  const { code, stdout } = await execute(process.execPath, [join(root, 'dist/cli/main.js'), name, '--help'])
  assert.equal(code, 0, stdout)
  for (const flag of words.filter((word) => word.startsWith('--'))) assert.ok(stdout.includes(flag), `${flag}: ${stdout}`)
}

/** The folder that stands for `pg`: its files as the blocks show them, linked as npm links a `file:` dependency. */
async function runFolder(blocks) {
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-readme-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, content] of blocks.flatMap((block) => Object.entries(filesOf(block)))) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const modules = join(directory, 'node_modules')
  mkdirSync(modules)
  symlinkSync(join(directory, manifest.dependencies.pg.replace('file:', '')), join(modules, 'pg'))
  assert.equal(manifest.overrides.pg, '$pg')
  const own = JSON.parse(readFileSync(join(directory, 'pg', 'package.json'), 'utf8'))
  assert.deepEqual([own.name, Object.keys(own.dependencies)], ['pg', ['lakebase-native']])
  symlinkSync(root, join(modules, 'lakebase-native'))
  cpSync(join(root, 'node_modules', 'pg-cursor'), join(modules, 'pg-cursor'), { recursive: true })
  const { host, port, user, database, ssl } = app.address()
  const { getToken } = await import('lakebase-native')
  const config = { host, port, user, database, password: await getToken(), ssl }
  const program = `
    const { Client } = require('pg')
    const Cursor = require('pg-cursor')
    if (Client !== require('lakebase-native/pg').Client) throw new Error('another pg')
    const main = async (config) => {
      const client = new Client(config)
      await client.connect()
      const cursor = client.query(new Cursor('select name from customer order by id'))
      const rows = await cursor.read(5)
      await cursor.close()
      await client.end()
      console.log(JSON.stringify(rows))
    }
    main(${JSON.stringify(config)})`
  const { code, stdout, stderr } = await execute(process.execPath, ['-'], { cwd: directory, input: program })
  assert.deepEqual([code, stderr, stdout], [0, '', '[{"name":"Ada"},{"name":"Grace"}]\n'])
}

const blocks = guides.flatMap((file) => blocksOf(readDocument(file), file))
const folder = blocks.filter(({ words }) => words.includes('pg-folder'))

for (const block of blocks) {
  if (folder.includes(block) || Object.hasOwn(elsewhere, block.file)) continue
  // The block with the words `five-variables` runs with these.
  if (block.language === 'ini' && block.words.includes('env')) continue
  // What a program prints.
  if (block.language === 'text') continue
  test(`${block.file}:${block.line}: ${block.text.split('\n').find((line) => line.trim())}`, { timeout: 120_000 }, async () => {
    if (block.language === 'ts' || block.language === 'js') await runModule(programOf(block), environmentOf(block, app.emulator))
    else if (block.language === 'sh') for (const command of commandsOf(block)) await runCommand(command)
    else assert.fail(`${block.file}:${block.line}: nothing runs a block of "${block.language}"`)
  })
}
test('the package of your own in place of pg', async () => {
  assert.equal(folder.length, 2)
  await runFolder(folder)
})

test('the README names five variables, with which its first program runs', () => {
  const [variables, ...others] = blocks.filter(({ language }) => language === 'ini')
  assert.deepEqual([variables.file, variables.text.split('\n').length, others.length], ['README.md', 5, 0])
  assert.equal(blocks.filter(({ words }) => words.includes('five-variables')).length, 1)
})

for (const [file, { test: runner, blocks: count }] of Object.entries(elsewhere)) {
  test(`the blocks of ${file}, by __test__/${runner}`, () => {
    assert.equal(blocks.filter((block) => block.file === file).length, count)
    assert.ok(readDocument(`__test__/${runner}`).includes(`${file}'`), 'it reads the document')
  })
}

test('blocks are found by their fences; an unknown word or an open fence is an error', () => {
  const [first, second] = blocksOf('## A section\n```ts pool  day\nx\n\ny\n```\n- b\n\n  ```sh\n  npm ci\n  ```\n', 'a.md')
  assert.deepEqual(first, { file: 'a.md', language: 'ts', words: ['pool', 'day'], text: 'x\n\ny', line: 2 })
  assert.deepEqual([second.language, commandsOf(second)], ['sh', ['npm ci']])
  assert.throws(() => blocksOf('```ts\nx', 'a.md'), /a.md:1: a fence is not closed/)
  assert.throws(() => programOf({ file: 'a.md', language: 'ts', words: ['nowhere'], text: '', line: 7 }), /a.md:7: no entry/)
  assert.throws(() => programOf({ file: 'a.md', language: 'ts', words: [], text: 'const =', line: 7 }), /a.md:7/)
})

test('what the README needs of Node.js is what package.json says', () => {
  const [, oldest] = /Node\.js (\d+) or newer/.exec(readDocument('README.md'))
  assert.equal(engines.node, `>=${oldest}`)
})
