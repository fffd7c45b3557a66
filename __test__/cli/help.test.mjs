// Help, versions, wrong arguments and completion.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { folder, json, lakebase, program, root } from './lakebase.mjs'

const cwd = folder()
const run = (...args) => lakebase(args, { cwd })
const overview = await run('--help')
const commands = [...overview.stdout.matchAll(/^ {2}([a-z]+) [[<]/gm)].map(([, name]) => name).filter((name) => name !== 'help')

test('help lists every command', () => {
  for (const name of ['init', 'token', 'exec', 'migrate', 'doctor', 'completion']) assert.ok(commands.includes(name), overview.stdout)
  assert.equal(overview.code, 0)
})

for (const name of commands) {
  test(`help of ${name} has examples, exit codes and what every command takes; no line is wider than a terminal should be`, async () => {
    const { code, stdout, stderr } = await run(name, '--help')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, new RegExp(`^Usage: lakebase ${name} `))
    assert.match(stdout, /\nExamples:\n {2}\$ .*lakebase /)
    assert.match(stdout, /\nExit codes: 0 success/)
    for (const flag of ['--json', '--no-color', '--dotenv']) assert.ok(stdout.includes(flag), flag)
    const wide = stdout.split('\n').filter((line) => line.length > 130)
    assert.deepEqual(wide, [])
    assert.equal((await run('help', name)).stdout, stdout)
  })
}

test('the version is the package\'s', async () => {
  assert.equal((await run('--version')).stdout, `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`)
})

test('a command that is not there is an error with the one that was meant', async () => {
  const { code, stderr, stdout } = await run('tokn')
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /unknown command 'tokn'\n\(Did you mean token\?\)/)
  assert.equal(json(await run('tokn', '--json')).error.code, 'USAGE')
})

test('without a command help is printed as an error', async () => {
  const { code, stderr } = await run()
  assert.equal(code, 2)
  assert.match(stderr, /^Usage: lakebase/)
})

test('output that nobody reads any more is no error', () => {
  const shell = `"${process.execPath}" "${program}" completion zsh | head -c 10; echo " \${PIPESTATUS[0]}"`
  assert.match(execFileSync('bash', ['-c', shell], { encoding: 'utf8' }), / 0\n$/)
})

/** What bash offers for these words, the last of which is being typed. */
function completions(...words) {
  const shell = `eval "$("${process.execPath}" "${program}" completion bash)"; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _lakebase; echo "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', shell], { encoding: 'utf8', cwd }).trim().split(' ')
}

test('bash completes commands, and the flags of each', () => {
  assert.deepEqual(completions('lakebase', 'tok'), ['token'])
  assert.ok(completions('lakebase', '').includes('doctor'))
  assert.deepEqual(completions('lakebase', 'token', '--wri'), ['--write'])
  assert.deepEqual(completions('lakebase', 'init', '--dry'), ['--dry-run'])
})

for (const shell of ['zsh', 'fish']) {
  test(`${shell} is given every command`, async () => {
    const { stdout } = await run('completion', shell)
    for (const name of commands) assert.match(stdout, new RegExp(`\\b${name}\\b`))
  })
}

test('another shell is refused with those there are', async () => {
  const { code, stderr } = await run('completion', 'tcsh')
  assert.equal(code, 2)
  assert.match(stderr, /Allowed choices are bash, zsh, fish/)
})
