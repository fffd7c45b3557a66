// lakebase proxy, with the tools that it is for.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startEmulator } from 'lakebase-native/emulator'
import { plainEnvironment, runLakebase, startLakebase } from '../support/lakebase-command.mjs'
import { postgresqlClient } from '../support/postgresql-client.mjs'
import { test } from '../support/test.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const HOUR_MILLIS = 3_600_000
const emulator = await startEmulator()
after(() => emulator.stop())

/** A proxy for the emulator that tells its events as JSON. */
async function proxy(t, { args = [], env = {} } = {}) {
  const started = startLakebase(t, ['proxy', '--json', '--port', '0', ...args], { env: { ...emulator.env, ...env } })
  const listening = await started.event(({ event }) => event === 'listening')
  return { ...started, ...listening, command: started }
}

const opened = (proxied, client) => proxied.command.event((event) => event.event === 'opened' && (client === undefined || event.client === client))
const closed = (proxied, client) => proxied.command.event((event) => event.event === 'closed' && event.client === client)

/** A node-postgres client of the proxy. */
async function client(t, { port }, options = {}) {
  const made = new pg.Client({ host: '127.0.0.1', port, user: 'somebody', database: emulator.database, ...options })
  made.on('error', () => {})
  t.after(() => made.end())
  await made.connect()
  return made
}

/** Runs one of PostgreSQL's programs; what it printed, and how it ended. */
async function run(name, args, { env = {}, input } = {}) {
  const [program, ...first] = await postgresqlClient(name)
  const child = spawn(program, [...first, ...args], { env: plainEnvironment(env), stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  child.stdin?.end(input)
  const [code] = await once(child, 'close')
  return { code, stdout: stdout.trim(), stderr: stderr.trim() }
}

const psql = (url, sql, env = {}) => run('psql', ['--no-psqlrc', '--tuples-only', '--no-align', url, ...[sql].flat().flatMap((text) => ['--command', text])], { env })

test('psql is logged in as the identity, whatever user it names', async (t) => {
  const { url, command } = await proxy(t)
  const { stdout, stderr } = await psql(url.replace(/\/\/[^@]+@/, '//anybody@'), 'select current_user, current_database()')
  assert.equal(stderr, '')
  assert.equal(stdout, `${emulator.env.PGUSER}|${emulator.database}`)
  const event = await command.event(({ event }) => event === 'opened')
  assert.equal(event.user, 'anybody')
  assert.equal(event.applicationName, 'psql')
})

test('database, application name and options reach the server', async (t) => {
  await emulator.query('create database other')
  const { url } = await proxy(t)
  const show = ['select current_database()', "select current_setting('application_name')", 'show search_path', "select setting, source from pg_settings where name = 'work_mem'"]
  const env = { PGAPPNAME: 'my tool', PGOPTIONS: '-c search_path=a,b -c work_mem=12MB' }
  const { stdout } = await psql(url.replace(`/${emulator.database}`, '/other'), show, env)
  assert.deepEqual(stdout.split('\n'), ['other', 'my tool', 'a,b', '12288|client'])
})

test('a server without a proxy of its own gets every startup parameter', async (t) => {
  // The emulator's front drops those that Lakebase's proxy drops.
  const { startPostgres } = await import('../../dist/emulator/postgres.js')
  const server = await startPostgres({ host: '127.0.0.1', password: 'secret' })
  t.after(() => server.stop())
  const env = { DATABASE_URL: '', PGHOST: '127.0.0.1', PGPORT: String(server.port), PGUSER: 'postgres', PGDATABASE: 'postgres', PGPASSWORD: 'secret', PGSSLMODE: 'disable' }
  const started = startLakebase(t, ['proxy', '--json', '--port', '0'], { env })
  const { url } = await started.event(({ event }) => event === 'listening')
  const { stdout } = await psql(url, ['show client_encoding', 'show timezone', 'show datestyle'], { PGCLIENTENCODING: 'LATIN1', PGTZ: 'Asia/Tokyo', PGDATESTYLE: 'German' })
  assert.deepEqual(stdout.split('\n').slice(0, 2), ['LATIN1', 'Asia/Tokyo'])
  assert.match(stdout, /German/)
})

test('pg_dump of one database goes into another', async (t) => {
  await emulator.query('create table goods (id int primary key, name text); insert into goods select i, repeat(md5(i::text), 10) from generate_series(1, 20000) i')
  await emulator.query('create database copy')
  const { url, command } = await proxy(t)
  const dump = await run('pg_dump', [url])
  assert.equal(dump.code, 0, dump.stderr)
  const restored = await run('psql', ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', url.replace(`/${emulator.database}`, '/copy')], { input: dump.stdout })
  assert.deepEqual([restored.code, restored.stderr], [0, ''])
  const digest = 'select count(*), md5(string_agg(name, \'\' order by id)) from goods'
  assert.equal((await psql(url.replace(`/${emulator.database}`, '/copy'), digest)).stdout, (await psql(url, digest)).stdout)
  // What was dumped passed the proxy.
  assert.ok(command.events().some(({ received }) => received > 6_000_000))
})

test('drizzle-kit migrates through the proxy with a plain URL', async (t) => {
  const { url } = await proxy(t)
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-proxy-')))
  t.after(() => rmSync(project, { recursive: true, force: true }))
  mkdirSync(join(project, 'node_modules'))
  for (const name of ['drizzle-orm', 'drizzle-kit', 'pg']) symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  writeFileSync(join(project, 'drizzle.config.mjs'), "export default { dialect: 'postgresql', schema: './schema.mjs', out: './drizzle', dbCredentials: { url: process.env.DATABASE_URL } }\n")
  writeFileSync(join(project, 'schema.mjs'), "import { pgTable, serial } from 'drizzle-orm/pg-core'\nexport const kitted = pgTable('kitted', { id: serial().primaryKey() })\n")
  const kit = (...args) => {
    const child = spawn(process.execPath, [join(root, 'node_modules/drizzle-kit/bin.cjs'), ...args, '--config', 'drizzle.config.mjs'], { cwd: project, env: plainEnvironment({ DATABASE_URL: url }), stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    return once(child, 'close').then(([code]) => assert.equal(code, 0, output))
  }
  await kit('generate')
  await kit('migrate')
  assert.deepEqual(await emulator.query("select tablename from pg_tables where tablename = 'kitted'"), [{ tablename: 'kitted' }])
})

test('Ctrl-C in psql on a terminal cancels the statement and keeps the session', async (t) => {
  const { url, command } = await proxy(t)
  const [program, ...first] = await postgresqlClient('psql')
  const line = [program, ...first, '--no-psqlrc', url].map((part) => `'${part}'`).join(' ')
  // util-linux's script gives it a pseudo-terminal.
  const terminal = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], { env: plainEnvironment({ TERM: 'dumb', PAGER: 'cat' }), stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => terminal.kill('SIGKILL'))
  let screen = ''
  terminal.stdout.setEncoding('utf8').on('data', (text) => (screen += text))
  const shows = async (pattern) => {
    while (!pattern.test(screen)) await once(terminal.stdout, 'data')
  }
  await shows(/=[#>]/)
  terminal.stdin.write('select pg_sleep(600);\n')
  const { processId } = await command.event(({ event }) => event === 'opened')
  while ((await emulator.query(`select from pg_stat_activity where pid = ${processId} and wait_event = 'PgSleep'`)).length === 0) await new Promise((resolve) => setTimeout(resolve, 100))
  terminal.stdin.write('\u0003')
  await shows(/canceling statement due to user request/)
  assert.deepEqual(await command.event(({ event }) => event === 'canceled'), { event: 'canceled', client: 1, error: null })
  terminal.stdin.write("select 'still ' || 'here';\n")
  await shows(/still here/)
  terminal.stdin.write('\\q\n')
  await once(terminal, 'close')
})

test('a cancel request with another secret cancels nothing', async (t) => {
  const proxied = await proxy(t)
  const db = await client(t, proxied)
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(80_877_102, 4)
  request.writeInt32BE(db.processID, 8)
  request.writeInt32BE(db.secretKey ^ 1, 12)
  const socket = connect(proxied.port, '127.0.0.1').end(request)
  socket.resume()
  await once(socket, 'close')
  assert.deepEqual(await proxied.command.event(({ event }) => event === 'canceled'), { event: 'canceled', client: null, error: null })
})

test('a hundred clients at once, each with a session of its own', async (t) => {
  const proxied = await proxy(t)
  const clients = await Promise.all(Array.from({ length: 100 }, () => client(t, proxied)))
  const answers = await Promise.all(clients.map(async (one, index) => {
    await one.query(`set application_name = 'client ${index}'`)
    return (await one.query("select current_setting('application_name') as name, pg_backend_pid() as pid")).rows[0]
  }))
  assert.deepEqual(answers.map(({ name }) => name), clients.map((_, index) => `client ${index}`))
  assert.deepEqual(answers.map(({ pid }) => pid), clients.map(({ processID }) => processID))
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, 100)
  assert.equal(proxied.command.events().filter(({ event }) => event === 'token').length, 1)
})

test('a token that has expired between two connections is replaced', async (t) => {
  const proxied = await proxy(t)
  const first = await client(t, proxied)
  emulator.advanceClock(2 * HOUR_MILLIS)
  t.after(() => emulator.advanceClock(-2 * HOUR_MILLIS))
  const second = await client(t, proxied)
  assert.equal((await second.query('select 1 as one')).rows[0].one, 1)
  assert.equal((await first.query('select 1 as one')).rows[0].one, 1)
  assert.equal(proxied.command.events().filter(({ event }) => event === 'token').length, 2)
})

test('revoked tokens are replaced too', async (t) => {
  const proxied = await proxy(t)
  await client(t, proxied)
  emulator.revokeTokens()
  assert.equal((await (await client(t, proxied)).query('select 1 as one')).rows[0].one, 1)
})

test('the client hears why there is no session, in the words of the server', async (t) => {
  const { url, command } = await proxy(t)
  const { code, stderr } = await psql(url.replace(`/${emulator.database}`, '/missing'), 'select 1')
  assert.equal(code, 2)
  assert.match(stderr, /FATAL: {2}database "missing" does not exist/)
  const event = await command.event(({ event }) => event === 'refused')
  assert.deepEqual([event.database, event.error], ['missing', { message: 'database "missing" does not exist', code: '3D000' }])
})

test('the client hears it when the workspace gives no token', async (t) => {
  const { url } = await proxy(t, { env: { DATABRICKS_CLIENT_SECRET: 'a-wrong-secret' } })
  const { code, stderr } = await psql(url, 'select 1')
  assert.equal(code, 2)
  assert.match(stderr, /FATAL: .*client/i)
  assert.doesNotMatch(stderr, /a-wrong-secret/)
})

test('errors of a session come as they are', async (t) => {
  const db = await client(t, await proxy(t))
  await assert.rejects(db.query('select 1/0'), { code: '22012', severity: 'ERROR', routine: 'int4div' })
  assert.equal((await db.query('select 1 as one')).rows[0].one, 1)
})

test('the end of the session by the server reaches the client with its reason', async (t) => {
  const proxied = await proxy(t)
  const db = await client(t, proxied)
  const failed = assert.rejects(db.query('select pg_sleep(600)'), { code: '57P01' })
  await emulator.query(`select pg_terminate_backend(${db.processID}, 5000)`)
  await failed
  await closed(proxied, 1)
})

test('a client that goes away ends its session on the server', async (t) => {
  const proxied = await proxy(t)
  const db = await client(t, proxied)
  const { processID } = db
  db.connection.stream.destroy()
  await closed(proxied, 1)
  while ((await emulator.query(`select from pg_stat_activity where pid = ${processID}`)).length > 0) await new Promise((resolve) => setTimeout(resolve, 100))
})

test('a password lets in who knows it', async (t) => {
  const proxied = await proxy(t, { env: { LAKEBASE_PROXY_PASSWORD: 'open sesame' } })
  assert.equal((await psql(proxied.url, 'select 1', { PGPASSWORD: 'open sesame' })).stdout, '1')
  const { code, stderr } = await psql(proxied.url, 'select 1', { PGPASSWORD: 'wrong' })
  assert.equal(code, 2)
  assert.match(stderr, /password authentication failed/)
  assert.match((await psql(`${proxied.url} `.trim(), 'select 1', {})).stderr, /no password supplied/)
  await client(t, proxied, { password: 'open sesame' })
  await assert.rejects(client(t, proxied, { password: 'open sesam' }), { code: '28P01' })
})

test('the password may come from a file, and is in no argument and no output', async (t) => {
  const file = join(mkdtempSync(join(tmpdir(), 'lakebase-proxy-')), 'password')
  t.after(() => rmSync(dirname(file), { recursive: true }))
  writeFileSync(file, 'from a file\n')
  const proxied = await proxy(t, { args: ['--password-file', file] })
  await client(t, proxied, { password: 'from a file' })
  assert.equal(proxied.password, true)
  proxied.process.kill('SIGINT')
  const { code, stdout, stderr } = await proxied.command.ended
  assert.equal(code, 0)
  assert.doesNotMatch(stdout + stderr, /from a file/)
})

test('neither encryption nor another protocol gets anywhere, and the proxy stays', async (t) => {
  const proxied = await proxy(t)
  const garbage = [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), Buffer.alloc(8, 0xff), Buffer.alloc(64), Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])]
  for (const bytes of garbage) {
    const socket = connect(proxied.port, '127.0.0.1')
    // What was not read makes the end a reset.
    socket.on('error', () => {})
    let answer = ''
    socket.on('data', (data) => (answer += data))
    socket.write(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
    assert.equal(answer, '')
  }
  const { stderr } = await psql(proxied.url.replace('sslmode=disable', 'sslmode=require'), 'select 1')
  assert.match(stderr, /server does not support SSL, but SSL was required/)
  assert.equal((await psql(proxied.url.replace('sslmode=disable', 'sslmode=prefer'), 'select 1')).stdout, '1')
})

test('a client that sends its startup byte by byte is served', async (t) => {
  const proxied = await proxy(t)
  const body = Buffer.from(`user\0me\0database\0${emulator.database}\0\0`)
  const packet = Buffer.concat([Buffer.alloc(8), body])
  packet.writeInt32BE(packet.length, 0)
  packet.writeInt32BE(3 << 16, 4)
  const socket = connect({ port: proxied.port, host: '127.0.0.1', noDelay: true })
  t.after(() => socket.destroy())
  for (const byte of packet) {
    socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [first] = await once(socket, 'data')
  assert.equal(String.fromCharCode(first[0]), 'R')
  await opened(proxied, 1)
})

test('a client that only stops sending gets its whole answer', async (t) => {
  const proxied = await proxy(t)
  const body = Buffer.from(`user\0me\0database\0${emulator.database}\0\0`)
  const packet = Buffer.concat([Buffer.alloc(8), body])
  packet.writeInt32BE(packet.length, 0)
  packet.writeInt32BE(3 << 16, 4)
  const socket = connect({ port: proxied.port, host: '127.0.0.1', allowHalfOpen: true })
  const sql = Buffer.from("select repeat('x', 1000000)\0")
  const query = Buffer.concat([Buffer.from('Q'), Buffer.alloc(4), sql])
  query.writeInt32BE(sql.length + 4, 1)
  socket.write(packet)
  await opened(proxied, 1)
  socket.end(query)
  let length = 0
  socket.on('data', (data) => (length += data.length))
  await once(socket, 'end')
  assert.ok(length > 1_000_000, `${length} bytes`)
})

test('only loopback addresses are listened on', async (t) => {
  for (const address of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
    const { code, stdout } = await runLakebase(t, ['proxy', '--json', '--port', '0', '--address', address], { env: emulator.env })
    assert.equal(code, 3)
    assert.equal(JSON.parse(stdout).error.code, 'PROXY_ADDRESS', stdout)
  }
})

test('a port that is taken is told', async (t) => {
  const { port } = await proxy(t)
  const { code, stderr } = await runLakebase(t, ['proxy', '--port', String(port)], { env: emulator.env })
  assert.equal(code, 5)
  assert.match(stderr, /cannot listen on 127\.0\.0\.1:\d+.*choose another port/s)
})

test('what is missing in the configuration is told before anything listens', async (t) => {
  const { code, stdout } = await runLakebase(t, ['proxy', '--json', '--no-dotenv'], { env: { PGHOST: 'localhost', PGSSLMODE: 'require' } })
  assert.equal(code, 3)
  assert.equal(JSON.parse(stdout).error.name, 'ConfigurationError')
})

test('Ctrl-C ends the proxy and its sessions in order', async (t) => {
  const proxied = await proxy(t)
  const db = await client(t, proxied)
  const ended = new Promise((resolve) => db.once('end', resolve))
  proxied.process.kill('SIGINT')
  const { code, signal, stderr } = await proxied.command.ended
  assert.deepEqual([code, signal, stderr], [0, null, ''])
  await ended
  assert.ok(proxied.command.events().some(({ event, client }) => event === 'closed' && client === 1))
})

test('without --json, each connection is a line, and names of clients cannot steer the terminal', async (t) => {
  const started = startLakebase(t, ['proxy', '--port', '0'], { env: emulator.env })
  const [url] = await started.printed(/postgresql:\S+/)
  await psql(url, 'select 1', { PGAPPNAME: 'evil\u001b[2Jname\nanother line' })
  await started.printed(/#1 closed after .+ sent, .+ received\n/, 'stderr')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point.
  assert.doesNotMatch(started.stderr, /\u001b/)
  assert.match(started.stderr, /everybody on this machine can use it/)
  assert.match(started.stderr, /#1 open {3}.*evil.*→ databricks_postgres, logged in within/)
})

test('its help has examples and the variable for the password', async (t) => {
  const { code, stdout } = await runLakebase(t, ['proxy', '--help'])
  assert.equal(code, 0)
  assert.match(stdout, /lakebase proxy --port 0/)
  assert.match(stdout, /LAKEBASE_PROXY_PASSWORD/)
  assert.doesNotMatch(readFileSync(join(root, 'dist/cli/commands/proxy.js'), 'utf8'), /--password </)
})
