// Pools per user: PostgreSQL sees the user, and no user ever gets another's connection.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'
import { call } from '../emulator/clients.mjs'

const USERS = range(500).map((number) => `user${number}@example.com`)
const app = deploy({
  users: USERS,
  sql: `create role reader;
    create table note (owner text, text text);
    insert into note select 'user' || number || '@example.com', 'note ' || number from generate_series(0, 499) number;
    alter table note enable row level security;
    alter table note force row level security;
    create policy own on note using (owner = current_user);
    grant select on note to public`,
})
const tokens = new Map()

/** A user's token for the workspace, as Databricks' proxy would forward it. */
async function tokenOf(user) {
  if (!tokens.has(user)) {
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', scope: 'all-apis' }
    const body = new URLSearchParams({ ...form, subject_token: app.emulator.idToken({ subject: user }) }).toString()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    tokens.set(user, (await call(app.emulator, 'POST', '/oidc/v1/token', { headers, body })).body.access_token)
  }
  return tokens.get(user)
}

/** Roles of the emulator may do everything, which would pass row-level security by. */
const plain = () => app.emulator.query(USERS.map((user) => `alter role "${user}" nosuperuser`).join(';'))

test('two users at once: current_user and row-level security are theirs', async () => {
  await plain()
  const pool = app.pool({ users: { max: 2 } })
  const [one, two] = await Promise.all(USERS.slice(0, 2).map(async (user) => pool.forUser({ user, token: await tokenOf(user) })))
  const work = range(40).map(async (number) => {
    const [as, index] = number % 2 ? [two, 1] : [one, 0]
    const { rows } = await as.query('select current_user as user, (select array_agg(text) from note) as notes')
    assert.deepEqual(rows, [{ user: USERS[index], notes: [`note ${index}`] }])
    await as.transaction(async (client) => {
      const { rows } = await client.query('select current_user as user')
      assert.equal(rows[0].user, USERS[index])
    })
  })
  await Promise.all(work)
  const { rows } = await pool.query('select current_user as user')
  assert.equal(rows[0].user, process.env.PGUSER, 'the pool itself stays what it is')
})

test('500 users in turn, within the bounds', { timeout: 240_000 }, async () => {
  await plain()
  const pool = app.pool({ users: { max: 1, maxPools: 8, maxConnections: 8 } })
  let most = 0
  const next = USERS.values()
  const worker = async () => {
    for (const user of next) {
      const { rows } = await pool.forUser({ user, token: await tokenOf(user) }).query('select current_user as user, count(*)::int as notes from note')
      assert.deepEqual(rows, [{ user, notes: 1 }])
      const [{ count }] = await app.emulator.query("select count(*) from pg_stat_activity where usename like 'user%@example.com'")
      most = Math.max(most, Number(count))
    }
  }
  await Promise.all(range(4).map(worker))
  // The server may still count one for each worker that the pool has just closed.
  assert.ok(most <= 8 + 4, `${most} connections of users at once`)
})

test('random interleavings of queries, checkouts, transactions, new tokens and evictions: always the right user', { timeout: 120_000 }, async () => {
  const seed = Number(process.env.COMPAT_SEED ?? 20261121)
  let state = seed
  const random = (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const users = USERS.slice(0, 6)
  const pool = app.pool({ users: { max: 2, maxPools: 3, idleTimeoutMillis: 50 } })
  const check = async (queryable, user, step) => {
    const { rows } = await queryable.query('select current_user as user')
    assert.equal(rows[0].user, user, `seed ${seed}, step ${step}`)
  }
  const act = async (step) => {
    const user = users[random(users.length)]
    const action = random(5)
    const as = pool.forUser({ user, token: await tokenOf(user) })
    if (action === 0) tokens.delete(user)
    if (action <= 1) return check(as, user, step)
    if (action === 2) return as.transaction((client) => check(client, user, step))
    const client = await as.connect()
    try {
      await check(client, user, step)
      if (action === 4) await new Promise((resolve) => setTimeout(resolve, random(5)))
      await check(client, user, step)
    } finally {
      client.release(action === 4 && random(3) === 0)
    }
  }
  for (let step = 0; step < 200; step += 10) await Promise.all(range(10).map((index) => act(step + index)))
  // Every login was by the role that its token is for: the emulator refuses any other.
  assert.equal(app.emulator.counts.logins.refused, 0)
})

test("a user with another's token gets no connection", async () => {
  const [one, two] = USERS
  const pool = app.pool()
  const error = await failureOf(pool.forUser({ user: two, token: await tokenOf(one) }).query('select 1'))
  assert.equal(error.name, 'AuthenticationError')
})

test("an identity provider's token is exchanged for the user's", async () => {
  const [user] = USERS
  const { rows } = await app.pool().forUser({ user, jwt: app.emulator.idToken({ subject: user }) }).query('select current_user as user')
  assert.equal(rows[0].user, user)
  const exchange = app.requests.find(({ path }) => path === '/oidc/v1/token')
  assert.equal(new URLSearchParams(exchange.body).has('client_id'), false, "the app's own id is not sent")
})
