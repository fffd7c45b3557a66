// lakebase dev, as somebody runs it in the folder of an app.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLakebasePool, getCredential } from 'lakebase-native'
import { launchBrowser } from '../apps/support/browser.mjs'
import { runLakebase, startLakebase } from '../support/lakebase-command.mjs'
import { test } from '../support/test.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const BOUND = { timeout: 300_000 }

/** The folder of an app. */
function project() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-dev-')))
  // PostgreSQL runs as another user where this process is root.
  chmodSync(folder, 0o755)
  // When everything has ended that uses it.
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What a file of variables sets. */
const variablesIn = (file) => Object.fromEntries(readFileSync(file, 'utf8').trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))

/** Starts it in the folder; what it says when it is ready, and the variables of its first branch. */
async function dev(t, cwd, ...args) {
  const command = startLakebase(t, ['dev', '--json', '--status-port', '0', ...args], { cwd })
  const ready = await command.event(({ event }) => event === 'ready')
  const stop = async () => {
    command.process.kill('SIGINT')
    assert.equal((await command.ended).code, 0)
  }
  return { ...ready, command, stop, env: variablesIn(join(cwd, ready.variables)) }
}

/** Options of a pool that come from a file of variables in place of the environment. */
function options(env) {
  return {
    databricksHost: env.DATABRICKS_HOST,
    clientId: env.DATABRICKS_CLIENT_ID,
    clientSecret: env.DATABRICKS_CLIENT_SECRET,
    endpoint: env.LAKEBASE_ENDPOINT,
    host: env.PGHOST,
    port: Number(env.PGPORT),
    database: env.PGDATABASE,
    user: env.PGUSER,
    ssl: { ca: readFileSync(env.NODE_EXTRA_CA_CERTS, 'utf8') },
  }
}

/** Trust in the emulator's workspace is a matter of the environment. */
function trusting(t, { NODE_EXTRA_CA_CERTS }) {
  process.env.NODE_EXTRA_CA_CERTS = NODE_EXTRA_CA_CERTS
  t.after(() => delete process.env.NODE_EXTRA_CA_CERTS)
}

function pool(t, env, more = {}) {
  trusting(t, env)
  const made = createLakebasePool({ ...options(env), max: 2, ...more })
  made.on('error', () => {})
  t.after(() => made.end())
  return made
}

const status = async ({ status }) => (await fetch(new URL('status.json', status))).json()

test('an app connects with its variables, and finds its data in the next run', BOUND, async (t) => {
  const cwd = project()
  const first = await dev(t, cwd)
  await pool(t, first.env).query('create table kept as select 1 as one')
  await first.stop()
  const second = await dev(t, cwd)
  assert.deepEqual(second.env, first.env)
  assert.deepEqual((await pool(t, second.env).query('select one from kept')).rows, [{ one: 1 }])
  assert.equal(statSync(join(cwd, second.variables)).mode & 0o777, 0o600)
})

test('for people it prints where everything is, and no secret', BOUND, async (t) => {
  const cwd = project()
  const command = startLakebase(t, ['dev', '--status-port', '0', '--fail', 'starting-up'], { cwd })
  await command.printed(/status page +http:\/\/localhost:\d+\//, 'stderr')
  await command.printed(/starting-up is on/, 'stderr')
  const env = variablesIn(join(cwd, '.lakebase/dev/production.env'))
  command.process.kill('SIGTERM')
  const { code, stdout, stderr } = await command.ended
  assert.deepEqual([code, stdout], [0, ''])
  for (const name of Object.keys(env)) assert.ok(stderr.includes(name), name)
  assert.ok(stderr.includes(env.PGPORT))
  assert.ok(!stderr.includes(env.DATABRICKS_CLIENT_SECRET))
})

test('a command runs with the variables, and its exit code is passed on', BOUND, async (t) => {
  const program = `
    const { createLakebasePool } = require(${JSON.stringify(root)})
    const pool = createLakebasePool()
    pool.query('select current_database() as name').then(async ({ rows }) => {
      console.log(JSON.stringify({ rows, args: process.argv.slice(1) }))
      await pool.end()
      process.exit(7)
    })`
  const { code, stdout } = await runLakebase(t, ['dev', '--no-status', '--', process.execPath, '--eval', program, '--', '--flag', 'a b'], { cwd: project() })
  assert.equal(code, 7)
  assert.deepEqual(JSON.parse(stdout), { rows: [{ name: 'databricks_postgres' }], args: ['--flag', 'a b'] })
})

test('nothing in the environment leads the command to another database or identity', BOUND, async (t) => {
  const cwd = project()
  writeFileSync(join(cwd, '.env.local'), 'PGHOST=production.example.com\nPGPASSWORD=theirs\nDATABRICKS_TOKEN=dapi-theirs\nOTHER=stays\n')
  const env = { DATABASE_URL: 'postgresql://production.example.com/db', LAKEBASE_INSTANCE_NAME: 'theirs', ARM_TENANT_ID: 'theirs', DATABRICKS_CONFIG_PROFILE: 'theirs' }
  const { stdout } = await runLakebase(t, ['dev', '--no-status', '--', process.execPath, '--print', 'JSON.stringify(process.env)'], { cwd, env })
  const found = JSON.parse(stdout)
  assert.deepEqual([found.PGHOST, found.OTHER, found.DATABRICKS_AUTH_TYPE], ['localhost', 'stays', 'oauth-m2m'])
  assert.deepEqual(Object.entries(found).filter(([, value]) => /theirs|production\.example/.test(value)), [])
})

test('signals are the command\'s, and PostgreSQL ends in order with it', BOUND, async (t) => {
  const cwd = project()
  const program = "process.on('SIGTERM', () => process.exit(9)); console.log('runs'); setInterval(() => {}, 1000)"
  const command = startLakebase(t, ['dev', '--no-status', '--', process.execPath, '--eval', program], { cwd })
  await command.printed(/runs/)
  command.process.kill('SIGTERM')
  assert.equal((await command.ended).code, 9)
  assert.throws(() => statSync(join(cwd, '.lakebase/dev/branches/production/postmaster.pid')), { code: 'ENOENT' })
})

test('a command that there is not is 127', BOUND, async (t) => {
  const { code, stderr } = await runLakebase(t, ['dev', '--no-status', '--', 'no-such-command-here'], { cwd: project() })
  assert.equal(code, 127)
  assert.match(stderr, /there is no command no-such-command-here/)
})

test('--write sets the variables and leaves everything else in the file', BOUND, async (t) => {
  const cwd = project()
  const file = join(cwd, '.env.local')
  writeFileSync(file, '# mine\nPGPORT=1 # the port\n\nOTHER="stays"\n')
  const { stop } = await dev(t, cwd, '--write', '.env.local')
  await stop()
  const text = readFileSync(file, 'utf8')
  const { PGPORT } = variablesIn(join(cwd, '.lakebase/dev/production.env'))
  assert.ok(text.startsWith(`# mine\nPGPORT=${PGPORT} # the port\n\nOTHER="stays"\n`), text)
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('seeds run on new databases only, in order, as the identity; migrations every time', BOUND, async (t) => {
  const cwd = project()
  mkdirSync(join(cwd, 'seeds'))
  writeFileSync(join(cwd, 'seeds', '1.sql'), "create table seeded (text text);\n-- a comment\ninsert into seeded values ('first');")
  writeFileSync(join(cwd, 'seeds', '2.sql'), "insert into seeded values ('second');")
  mkdirSync(join(cwd, 'migrations'))
  writeFileSync(join(cwd, 'migrations', '0001_first.sql'), 'create table migrated (id int);')
  const args = ['--seed', 'seeds', '--migrations', 'migrations']
  const first = await dev(t, cwd, ...args)
  await first.stop()
  writeFileSync(join(cwd, 'migrations', '0002_second.sql'), 'alter table migrated add column name text;')
  const { env } = await dev(t, cwd, ...args)
  const db = pool(t, env)
  assert.deepEqual((await db.query('select text from seeded')).rows, [{ text: 'first' }, { text: 'second' }])
  assert.deepEqual((await db.query("select tableowner from pg_tables where tablename = 'seeded'")).rows, [{ tableowner: env.PGUSER }])
  assert.deepEqual((await db.query('select * from migrated')).fields.map(({ name }) => name), ['id', 'name'])
})

test('a seed that fails is named, and nothing is left running', BOUND, async (t) => {
  const cwd = project()
  writeFileSync(join(cwd, 'wrong.sql'), 'select nonsense')
  const { code, stderr } = await runLakebase(t, ['dev', '--seed', 'wrong.sql'], { cwd })
  assert.equal(code, 1)
  assert.match(stderr, /the seed wrong\.sql failed on branch production: column "nonsense" does not exist/)
  assert.throws(() => statSync(join(cwd, '.lakebase/dev/branches/production/postmaster.pid')), { code: 'ENOENT' })
})

test('branches begin as copies of production, run side by side, and --fresh begins again', BOUND, async (t) => {
  const cwd = project()
  const first = await dev(t, cwd)
  await pool(t, first.env).query('create table goods as select generate_series(1, 3) as id')
  await first.stop()

  const both = await dev(t, cwd, '--branch', 'production', '--branch', 'feature')
  const envs = both.branches.map(({ variables }) => variablesIn(join(cwd, variables)))
  assert.deepEqual(envs.map(({ LAKEBASE_ENDPOINT }) => LAKEBASE_ENDPOINT.split('/')[3]), ['production', 'feature'])
  const [production, feature] = envs.map((env) => pool(t, env))
  await feature.query('delete from goods')
  const count = async (db) => Number((await db.query('select count(*) from goods')).rows[0].count)
  assert.deepEqual([await count(production), await count(feature)], [3, 0])
  await both.stop()

  const again = await dev(t, cwd, '--branch', 'feature', '--fresh')
  assert.equal(await count(pool(t, again.env)), 3)
  await again.stop()
  const empty = await dev(t, cwd, '--fresh')
  await assert.rejects(count(pool(t, empty.env)), { code: '42P01' })
})

test('--token-ttl is how long tokens live', BOUND, async (t) => {
  const { env } = await dev(t, project(), '--token-ttl', '7m')
  trusting(t, env)
  const before = Date.now()
  const { expiresAt } = await getCredential(options(env))
  assert.ok(expiresAt.getTime() >= before + 7 * 60_000 - 1_000 && expiresAt.getTime() <= Date.now() + 7 * 60_000, String(expiresAt))
})

test('--wake-delay has the first login wait', BOUND, async (t) => {
  const { env } = await dev(t, project(), '--wake-delay', '1h')
  trusting(t, env)
  // The pool finds the token there: only the login can take long.
  await getCredential(options(env))
  await assert.rejects(pool(t, env, { connectionTimeoutMillis: 2_000 }).query('select 1'), { code: 'CONNECTION_TIMEOUT' })
})

test('--fail and --latency are on from the start, and can be changed', BOUND, async (t) => {
  const running = await dev(t, project(), '--fail', 'too-many-connections', '--fail', 'api-slow', '--latency', '20ms')
  const { on, latencyMillis } = await status(running)
  assert.deepEqual([on, latencyMillis], [['api-slow', 'too-many-connections'], 20])
  await assert.rejects(pool(t, running.env, { connectionTimeoutMillis: 2_000 }).query('select 1'), { code: '53300' })
  const page = await (await fetch(running.status)).text()
  const token = /name="token" content="([^"]+)"/.exec(page)[1]
  const post = (path, body) => fetch(new URL(path, running.status), { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Lakebase-Token': token }, body: JSON.stringify(body) })
  assert.equal((await post('switches/too-many-connections', { on: false })).status, 200)
  assert.equal((await post('switches/no-such', { on: false })).status, 404)
  assert.equal((await post('latency', { millis: 1 })).status, 200)
  assert.equal((await post('latency', { millis: -1 })).status, 400)
  assert.deepEqual((await pool(t, running.env).query('select 1 as one')).rows, [{ one: 1 }])
})

test('flags that cannot be are told before anything starts', BOUND, async (t) => {
  const cwd = project()
  for (const [args, message] of [
    [['--fail', 'everything'], /--fail knows no "everything".*api-unavailable/s],
    [['--latency', 'much'], /--latency must be a duration such as 250ms/],
    [['--port', '70000'], /--port must be a number from 0 to 65535/],
    [['--seed', 'missing.sql'], /--seed: .*missing\.sql/],
    [['--nonsense'], /unknown option '--nonsense'/],
  ]) {
    const { code, stderr } = await runLakebase(t, ['dev', ...args], { cwd })
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
  }
})

test('a second one in the same folder is refused', BOUND, async (t) => {
  const cwd = project()
  await dev(t, cwd)
  const { code, stdout } = await runLakebase(t, ['dev', '--json', '--no-status'], { cwd })
  assert.equal(code, 1)
  assert.equal(JSON.parse(stdout).error.code, 'IN_USE')
})

test('the end of PostgreSQL is told', BOUND, async (t) => {
  const cwd = project()
  const { command } = await dev(t, cwd)
  const [pid] = readFileSync(join(cwd, '.lakebase/dev/branches/production/postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGQUIT')
  const { code, stdout } = await command.ended
  assert.equal(code, 1)
  assert.match(stdout, /POSTGRES_ENDED/)
})

/** A request as no browser's own script can send it. */
function raw(url, { method = 'GET', path = '/', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url)
    const sent = request({ host: '127.0.0.1', port, method, path, headers }, async (response) => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve({ status: response.statusCode, headers: response.headers, text })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

test('other web pages can neither read the status page nor switch anything', BOUND, async (t) => {
  const running = await dev(t, project())
  const { port } = new URL(running.status)
  // A name that was made to point to this machine.
  for (const path of ['/', '/status.json']) assert.equal((await raw(running.status, { path, headers: { Host: `attacker.example:${port}` } })).status, 421)
  assert.equal((await raw(running.status, { headers: { Host: 'localhost:1' } })).status, 421)

  const page = await raw(running.status)
  const token = /name="token" content="([^"]+)"/.exec(page.text)[1]
  const change = (headers, body = '{"on":true}') => raw(running.status, { method: 'POST', path: '/switches/starting-up', headers, body })
  const right = { 'Content-Type': 'application/json', 'X-Lakebase-Token': token }
  assert.equal((await change({ 'Content-Type': 'application/json' })).status, 403)
  assert.equal((await change({ ...right, 'X-Lakebase-Token': `${token.slice(1)}x` })).status, 403)
  assert.equal((await change({ ...right, Origin: 'https://attacker.example' })).status, 403)
  assert.equal((await change({ ...right, Origin: 'null' })).status, 403)
  assert.equal((await change({ ...right, 'Content-Type': 'text/plain' })).status, 403)
  assert.equal((await raw(running.status, { method: 'PUT', path: '/switches/starting-up', headers: right })).status, 405)
  assert.equal((await change(right, `{"on":true,"more":"${'x'.repeat(5_000)}"}`)).status, 400)
  assert.deepEqual((await status(running)).on, [])
  assert.equal((await change({ ...right, Origin: `http://localhost:${port}` })).status, 200)
  assert.deepEqual((await status(running)).on, ['starting-up'])

  assert.match(page.headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(page.headers['x-frame-options'], 'DENY')
  assert.equal(page.headers['access-control-allow-origin'], undefined)
  assert.doesNotMatch(page.text, /(?:src|href)="(?!data:|#)/)
})

test('the page shows in Chromium what goes on, and switches faults by keyboard', { timeout: 480_000 }, async (t) => {
  const running = await dev(t, project(), '--slow', '10ms', '--wake-delay', '0s')
  const db = pool(t, running.env, { application_name: '<b>the app</b>', idleTimeoutMillis: 0 })
  await db.query('select pg_sleep(0.05),\n  $1::text as parameter', ['a parameter'])
  const browser = await launchBrowser(root)
  const open = async (choice) => {
    const page = await browser.newPage(choice)
    page.setDefaultTimeout(120_000)
    const problems = []
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(running.status)
    await page.locator('#sessions tbody tr').first().waitFor()
    return { page, problems }
  }

  const { page, problems } = await open({ viewport: { width: 1280, height: 900 } })
  const row = (id) => page.locator(`#${id} tbody tr`).first()
  assert.match(await row('sessions').innerText(), /idle.*<b>the app<\/b>.*production/s)
  assert.match(await row('slow').innerText(), /\d+ ms.*select pg_sleep\(0\.05\),\s+\$1::text as parameter/s)
  assert.match(await row('tokens').innerText(), /database.*until/s)
  assert.match(await row('logins').innerText(), /accepted.*databricks_postgres/s)
  assert.match(await row('calls').innerText(), /200.*\/api\/2\.0\/postgres\/credentials/s)
  const everything = `${await page.content()}${JSON.stringify(await status(running))}`
  assert.doesNotMatch(everything, /eyJ|a parameter/)
  assert.ok(!everything.includes(running.env.DATABRICKS_CLIENT_SECRET))

  // By keyboard: from the fault before it to the switch, and space.
  await page.getByRole('switch', { name: 'Broken answers' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  const starting = page.getByRole('switch', { name: /Starting up/, checked: true })
  await starting.waitFor()
  assert.deepEqual((await status(running)).on, ['starting-up'])
  assert.match(await page.locator('#state').innerText(), /one fault is on/)
  await assert.rejects(pool(t, running.env, { connectionTimeoutMillis: 2_000 }).query('select 1'), { code: '57P03' })
  await page.getByText('57P03 refused').first().waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('switch', { name: /Starting up/, checked: false }).waitFor()

  await page.getByRole('button', { name: /Revoke tokens/ }).click()
  await page.getByRole('status').getByText(/1 token revoked/).waitFor()
  await page.getByRole('button', { name: /End sessions/ }).click()
  await page.getByText('Nobody is connected.').waitFor()
  await page.getByLabel(/round-trip time/).fill('5')
  await page.keyboard.press('Enter')
  await page.getByRole('status').getByText(/5 ms longer/).waitFor()
  assert.equal((await status(running)).latencyMillis, 5)
  assert.deepEqual(problems, [])

  // Every control has a name, and everything is reached in order.
  const unnamed = await page.locator('button, input, a').evaluateAll((all) => all.filter((one) => !(one.textContent.trim() || one.labels?.length)).length)
  assert.equal(unnamed, 0)
  assert.equal(await page.locator('[tabindex]:not([tabindex="0"])').count(), 0)

  await db.query('select 1')
  for (const choice of [{ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }, { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }]) {
    const { page, problems } = await open(choice)
    const { wide, ground } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth > innerWidth, ground: getComputedStyle(document.documentElement).backgroundColor }))
    assert.equal(wide, false)
    const brightness = ground.match(/\d+/g).reduce((sum, part) => sum + Number(part), 0)
    assert.ok(choice.colorScheme === 'dark' ? brightness < 150 : brightness > 600, ground)
    assert.deepEqual(problems, [])
  }
})
