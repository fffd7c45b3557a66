// `lakebase exec -- <command>`: the command has a login in its environment, and ends as it would alone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { certificateFor } from '../support/postgres.mjs'
import { postgresqlClient } from '../support/postgresql-client.mjs'
import { folder, lakebase, root, start } from './lakebase.mjs'

const app = deploy()
const cwd = folder()
const run = (args, changes = {}) => lakebase(['exec', ...args], { cwd, env: { ...app.emulator.env, ...changes } })
const script = (text) => ['--', process.execPath, '-e', text]

test('the command finds DATABASE_URL and PG*, and pg logs in with either', async () => {
  const login = `
    const pg = require(${JSON.stringify(join(root, 'node_modules/pg'))})
    const { readFileSync } = require('node:fs')
    const ssl = { ca: readFileSync(process.env.PGSSLROOTCERT, 'utf8') }
    const url = new URL(process.env.DATABASE_URL)
    if (url.searchParams.get('sslmode') !== 'verify-full') throw new Error(url.search)
    url.search = ''
    ;(async () => {
      for (const options of [{ connectionString: url.href, ssl }, { ssl }]) {
        const client = new pg.Client(options)
        await client.connect()
        console.log((await client.query('select current_user as me')).rows[0].me === process.env.PGUSER)
        await client.end()
      }
    })()`
  const { code, stdout, stderr } = await run(script(login))
  assert.equal(code, 0, stderr)
  assert.equal(stdout, 'true\ntrue\n')
})

test('the password is in the environment of the command and in no argument', async () => {
  // Linux tells a process's arguments in /proc.
  const look = `console.log(require('node:fs').readFileSync('/proc/' + process.ppid + '/cmdline', 'utf8').includes(process.env.PGPASSWORD), process.argv.join().includes(process.env.PGPASSWORD))`
  const { stdout } = await run(script(look))
  assert.equal(stdout, 'false false\n')
})

test('what is not given is looked up: host, database and user', async () => {
  const { PGHOST: _host, PGDATABASE: _database, PGUSER: _user, ...rest } = app.emulator.env
  const { stdout } = await lakebase(['exec', ...script("console.log(process.env.PGHOST, process.env.PGDATABASE, process.env.PGUSER)")], { cwd, env: rest })
  assert.equal(stdout, `localhost databricks_postgres ${app.emulator.env.PGUSER}\n`)
})

test('the exit code is the command\'s', async () => {
  assert.equal((await run(script('process.exit(42)'))).code, 42)
})

test('flags behind the command are its own, with and without --', async () => {
  const print = 'console.log(process.argv.slice(1).join(" "))'
  assert.equal((await run(['--', process.execPath, '-e', print, '--', '--json', '--help'])).stdout, '--json --help\n')
  assert.equal((await run([process.execPath, '-e', print, 'a', '-b'])).stdout, 'a -b\n')
})

test('input and output are the command\'s', async () => {
  const running = start(['exec', '--', 'cat'], { cwd, env: app.emulator.env, stdin: 'pipe' })
  running.process.stdin.end('through\n')
  const { code, stdout } = await running.ended
  assert.deepEqual([code, stdout], [0, 'through\n'])
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1']) {
  test(`${signal} is passed to the command, which decides what it does`, async () => {
    const text = `process.on('${signal}', () => { console.log('got ${signal}'); process.exit(9) }); console.log('ready'); setInterval(() => {}, 1e9)`
    const running = start(['exec', ...script(text)], { cwd, env: app.emulator.env })
    await once(running.process.stdout, 'data')
    running.process.kill(signal)
    const { code, stdout } = await running.ended
    assert.deepEqual([code, stdout], [9, `ready\ngot ${signal}\n`])
  })
}

test('a command that a signal ended gives 128 and its number, as in a shell', async () => {
  assert.equal((await run(['--', 'sh', '-c', 'kill -KILL $$'])).code, 137)
})

test('a command that is not there gives 127, one that cannot be run 126', async () => {
  const missing = await run(['--', 'no-such-command'])
  assert.equal(missing.code, 127)
  assert.match(missing.stderr, /there is no command no-such-command/)
  writeFileSync(join(cwd, 'plain.txt'), 'text')
  assert.equal((await run(['--', './plain.txt'])).code, 126)
})

test('without a login the command does not run', async () => {
  const { code } = await run(script("require('node:fs').writeFileSync('ran', '')"), { DATABRICKS_CLIENT_SECRET: 'dose-wrong' })
  assert.equal(code, 4)
  assert.equal(existsSync(join(cwd, 'ran')), false)
})

test('what was made for the login is gone afterwards', async () => {
  const { stdout } = await run(script('console.log(process.env.PGSSLROOTCERT)'))
  const file = stdout.trim()
  assert.ok(file.startsWith(tmpdir()), file)
  assert.equal(existsSync(file), false)
})

test('psql logs in, verifying the server', async () => {
  const [file, ...first] = await postgresqlClient('psql')
  const { code, stdout, stderr } = await run(['--', file, ...first, '-X', '-A', '-t', '-c', 'select current_user'])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, `${app.emulator.env.PGUSER}\n`)
  writeFileSync(join(cwd, 'other-ca.pem'), certificateFor(['localhost']).ca)
  const wrong = await run(['--', file, ...first, '-X', '-c', 'select 1'], { PGSSLROOTCERT: 'other-ca.pem' })
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /SSL error/)
})

test('pg_dump | psql copies a database', async () => {
  await app.emulator.query("create table original (id int primary key, text text); insert into original values (1, 'one'), (2, 'zwei ü')")
  await app.emulator.query('create database copied')
  const [dump, psql] = [await postgresqlClient('pg_dump'), await postgresqlClient('psql')].map((command) => command.map((word) => `'${word}'`).join(' '))
  const { code, stderr } = await run(['--', 'sh', '-c', `${dump} --no-owner --table original | ${psql} -X -q -v ON_ERROR_STOP=1 -d copied`])
  assert.equal(code, 0, stderr)
  const { code: counted, stdout } = await run(['--database', 'copied', '--', 'sh', '-c', `${psql} -X -A -t -c 'select * from original order by id'`])
  assert.deepEqual([counted, stdout], [0, '1|one\n2|zwei ü\n'])
})

test('drizzle-kit migrates with it', async () => {
  const there = folder()
  const { writeProject } = await import('./drizzle-project.mjs')
  writeProject(there)
  const kit = join(root, 'node_modules/drizzle-kit/bin.cjs')
  const { code, stdout, stderr } = await lakebase(['exec', '--', process.execPath, kit, 'migrate'], {
    cwd: there,
    env: { ...app.emulator.env, NODE_PATH: join(root, 'node_modules') },
  })
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(await app.emulator.query('select count(*) from notes'), [{ count: '0' }])
  assert.ok(readdirSync(there).includes('drizzle'))
  assert.ok(readFileSync(join(there, 'drizzle.config.js'), 'utf8').includes('DATABASE_URL'))
})
