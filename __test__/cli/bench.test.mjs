// lakebase bench: what it measures, that it only reads, and what it says.
import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startEmulator } from 'lakebase-native/emulator'
import { runLakebase } from '../support/lakebase-command.mjs'
import { test } from '../support/test.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const SHORT = ['--duration', '400ms', '--cold-starts', '1', '--in-flight', '8', '--connections', '2']
const BOUND = { timeout: 300_000 }

const log = []
const emulator = await startEmulator({ postgres: { settings: { log_statement: 'all', log_line_prefix: '[%a] ' }, onLog: (line) => log.push(line) } })
after(() => emulator.stop())

/** A folder of an app that has no pg. */
const bare = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-bench-')))
after(() => rmSync(bare, { recursive: true, force: true }))

const bench = (t, args, { cwd = root, env = {} } = {}) => runLakebase(t, ['bench', ...SHORT, ...args], { cwd, env: { ...emulator.env, ...env } })

test('both packages are measured, by figures that belong together', BOUND, async (t) => {
  const { code, stdout, stderr } = await bench(t, ['--json'])
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  const report = JSON.parse(stdout)
  assert.deepEqual(report.address, { host: 'localhost', port: emulator.ports.database, user: emulator.env.PGUSER, database: emulator.database, sslMode: 'verify-full' })
  assert.deepEqual([report.inFlight, report.connections], [8, 2])
  assert.ok(report.networkMillis > 0)
  assert.deepEqual(report.drivers.map(({ driver }) => driver), ['lakebase-native', 'pg'])
  for (const { version, coldStartMillis, query, perSecond } of report.drivers) {
    assert.match(version, /^\d+\.\d+\.\d+/)
    assert.ok(coldStartMillis > 0 && perSecond > 0)
    assert.ok(query.p50 > 0 && query.p50 <= query.p95 && query.p95 <= query.p99)
    assert.ok(query.histogram.reduce((sum, count) => sum + count, 0) <= query.count && query.count > 0)
  }
})

test('nothing but reads reaches the database, in sessions that cannot write', BOUND, async (t) => {
  await emulator.query(`
    create function tell() returns event_trigger language plpgsql as $$ begin raise log 'read only: %', current_setting('default_transaction_read_only'); end $$;
    create event trigger tell on login execute function tell()`)
  t.after(() => emulator.query('drop event trigger tell'))
  log.length = 0
  assert.equal((await bench(t, ['--json'])).code, 0)
  const statements = log.flatMap((line) => /^\[lakebase bench\] LOG: {2}(?:statement|execute [^:]*): (.*)$/.exec(line)?.[1] ?? [])
  assert.ok(statements.length > 10)
  assert.deepEqual(statements.filter((text) => !/^select\b/i.test(text)), [])
  const measured = statements.filter((text) => text === 'select $1::int as value')
  assert.ok(measured.length > 10)
  const told = log.flatMap((line) => /^\[lakebase bench\] LOG: {2}read only: (.*)$/.exec(line)?.[1] ?? [])
  assert.ok(told.length > 2)
  assert.deepEqual(told.filter((setting) => setting !== 'on'), [])
})

test('the chart compares the two', BOUND, async (t) => {
  const { code, stdout } = await bench(t, [])
  assert.equal(code, 0)
  assert.match(stdout, /localhost:\d+\/databricks_postgres, .+ away/)
  for (const title of ['cold start', 'one at a time', '8 in flight']) assert.match(stdout, new RegExp(`${title}.*\\n {2}lakebase-native \\S+ +[█▏▎▍▌▋▊▉]+ +\\S.*\\n {2}pg \\S+ +[█▏▎▍▌▋▊▉]+ +\\S`))
  assert.match(stdout, /p50 +p95 +p99/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no terminal, no colours.
  assert.doesNotMatch(stdout, /\u001b/)
})

test('without pg, this package alone is measured', BOUND, async (t) => {
  const without = await bench(t, ['--json'], { cwd: bare })
  assert.deepEqual(JSON.parse(without.stdout).drivers.map(({ driver }) => driver), ['lakebase-native'])
  const unwanted = await bench(t, ['--json', '--no-pg'])
  assert.deepEqual(JSON.parse(unwanted.stdout).drivers.map(({ driver }) => driver), ['lakebase-native'])
})

test('a login that is refused is the command\'s failure, without the secret', BOUND, async (t) => {
  const { code, stdout, stderr } = await bench(t, ['--json'], { env: { DATABRICKS_CLIENT_SECRET: 'a-wrong-secret' } })
  assert.equal(code, 4, stdout + stderr)
  assert.equal(JSON.parse(stdout).error.name, 'AuthenticationError')
  assert.doesNotMatch(stdout + stderr, /a-wrong-secret/)
})

test('a database that does not let anybody in is told by its error', BOUND, async (t) => {
  const clear = emulator.faults.database({ kind: 'error', error: 'endpoint-disabled' })
  t.after(clear)
  const { code, stdout } = await bench(t, ['--json'])
  assert.notEqual(code, 0)
  assert.match(JSON.parse(stdout).error.message, /endpoint is disabled/)
})

test('wrong flags are told', BOUND, async (t) => {
  for (const args of [['--duration', 'long'], ['--in-flight', '0'], ['--cold-starts', 'many']]) {
    const { code, stderr } = await bench(t, args)
    assert.equal(code, 2)
    assert.match(stderr, new RegExp(args[0]))
  }
})
