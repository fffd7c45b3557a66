// Somebody tries to get another user's rows: by headers, names, tokens, timing. Nobody does.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { AuthenticationError, ConfigurationError } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'
import { call } from '../emulator/clients.mjs'

const [victim, attacker] = ['victim@example.com', 'attacker@example.com']
const app = deploy({ users: [victim, attacker] })
const who = 'select current_user as user'

/** The user's token for the workspace. */
async function tokenOf(user) {
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', scope: 'all-apis' }
  const body = new URLSearchParams({ ...form, subject_token: app.emulator.idToken({ subject: user }) }).toString()
  return (await call(app.emulator, 'POST', '/oidc/v1/token', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body })).body.access_token
}

/** A pool on which the victim has an idle connection, and both tokens. */
async function scene(options) {
  const pool = app.pool({ trustForwardedHeaders: true, ...options })
  const tokens = { victim: await tokenOf(victim), attacker: await tokenOf(attacker) }
  assert.deepEqual((await pool.forUser({ user: victim, token: tokens.victim }).query(who)).rows, [{ user: victim }])
  return { pool, tokens }
}

/** Whoever this request is taken for; the name of the error if for nobody. */
async function outcome(pool, request) {
  try {
    return (await pool.asUser(request).query(who)).rows[0].user
  } catch (error) {
    return error.name
  }
}

test("the attacker's token with the victim's name, and any spelling of it", async () => {
  const { pool, tokens } = await scene()
  const names = [victim, victim.toUpperCase(), `${victim}.`, ` ${victim}`, `"${victim}"`, `${victim}\0database\0postgres`, `${victim}\u200b`, 'victi\u{1d426}@example.com', `${victim};${attacker}`]
  for (const name of names) {
    const headers = { 'x-forwarded-access-token': tokens.attacker, 'x-forwarded-email': name }
    assert.match(await outcome(pool, { headers }), /Error$/, JSON.stringify(name))
    const error = await failureOf(async () => pool.forUser({ user: name, token: tokens.attacker }).query(who))
    assert.ok(error instanceof Error, JSON.stringify(name))
  }
  assert.deepEqual((await pool.forUser({ user: victim, token: tokens.victim }).query(who)).rows, [{ user: victim }])
})

test('headers over the wire: sent twice, in another case, smuggled into another, without a value', async () => {
  const { pool, tokens } = await scene()
  const server = createServer(async (request, response) => response.end(await outcome(pool, request))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  /** What the app answers to these lines of headers. */
  const ask = async (...lines) => {
    const socket = connect(server.address().port, '127.0.0.1')
    socket.write(`${['GET / HTTP/1.1', 'Host: app.example', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += chunk
    return text.split('\r\n\r\n')[1]?.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '') ?? ''
  }
  const [mine, theirs] = [`x-forwarded-access-token: ${tokens.attacker}`, `x-forwarded-access-token: ${tokens.victim}`]
  assert.equal(await ask(mine, `X-FORWARDED-EMAIL: ${attacker}`), attacker, 'the case of names does not matter')
  for (const lines of [
    [mine, `x-forwarded-email: ${attacker}`, `x-forwarded-email: ${victim}`],
    [mine, `x-forwarded-email: ${victim}`, `X-Forwarded-Email: ${attacker}`],
    // An address that nobody can read is not replaced by another header.
    [mine, `x-forwarded-email: ${victim}`, `x-forwarded-email: ${victim}`, `x-forwarded-user: ${attacker}`],
    [mine, theirs, `x-forwarded-email: ${victim}`],
    [theirs, mine, `x-forwarded-email: ${victim}`],
    [mine, `x-forwarded-email: ${attacker},${victim}`],
    [mine, `x-forwarded-email: ${attacker} ${victim}`],
    [mine, `x-forwarded-email : ${victim}`],
    [mine, `x_forwarded_email: ${attacker}`],
    [mine, 'x-forwarded-email:'],
    ['x-forwarded-access-token:', `x-forwarded-email: ${victim}`],
    [`x-forwarded-email: ${victim}`, 'get: x', 'headers: x', '__proto__: x', 'constructor: x'],
  ]) {
    const answer = await ask(...lines)
    assert.ok(answer === '' || /Error$/.test(answer), `${lines.join(' | ').replaceAll(/eyJ\S+/g, '…')}: ${answer}`)
  }
  server.close()
})

test('headers that all objects have were sent by nobody', async () => {
  const { pool, tokens } = await scene()
  const headers = Object.create({ 'x-forwarded-access-token': tokens.victim, 'x-forwarded-email': victim })
  assert.equal(await outcome(pool, { headers }), 'AuthenticationError')
})

test('tokens that are none, and very long ones, end in time and get nothing', async () => {
  const { pool, tokens } = await scene({ connectionTimeoutMillis: 5_000 })
  for (const token of [`${tokens.victim} `, ` ${tokens.victim}`, `${tokens.victim}\n`, `${tokens.victim}\r\nx-evil: 1`, '\ud800', 'é'.repeat(9)]) {
    assert.ok((await failureOf(() => pool.forUser({ user: victim, token }))) instanceof TypeError, JSON.stringify(token.slice(-12)))
    assert.match(await outcome(pool, { headers: { 'x-forwarded-access-token': token, 'x-forwarded-email': victim } }), /Error$/)
  }
  for (const token of [`${tokens.victim}x`, tokens.victim.slice(0, -1), 'x'.repeat(1_000_000)]) {
    assert.ok((await failureOf(pool.forUser({ user: victim, token }).query(who))).message)
  }
})

test('what becomes of an identity object later changes nothing', async () => {
  const { pool, tokens } = await scene({ users: { max: 2 } })
  const identity = { user: attacker, token: tokens.attacker }
  const as = pool.forUser(identity)
  Object.assign(identity, { user: victim, token: tokens.victim })
  assert.deepEqual((await as.query(who)).rows, [{ user: attacker }])
  const exchanged = { user: attacker, jwt: app.emulator.idToken({ subject: attacker }) }
  const asWell = pool.forUser(exchanged)
  exchanged.jwt = app.emulator.idToken({ subject: victim })
  assert.deepEqual((await asWell.query(who)).rows, [{ user: attacker }])
  let reads = 0
  const twoFaced = { token: tokens.attacker, get user() { return reads++ ? victim : attacker } }
  assert.deepEqual((await pool.forUser(twoFaced).query(who)).rows, [{ user: attacker }])
})

test("a pool that logs in with a password has no users: the password would open the door for any name", async () => {
  const { PGHOST, PGPORT, PGDATABASE, NODE_EXTRA_CA_CERTS } = app.emulator.env
  const { PGUSER, PGPASSWORD } = { PGUSER: victim, PGPASSWORD: 'the-password-of-the-app' }
  app.environment({ ...Object.fromEntries(Object.keys(app.emulator.env).map((name) => [name, undefined])), PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, NODE_EXTRA_CA_CERTS })
  const pool = app.pool({ trustForwardedHeaders: true })
  const before = app.emulator.counts.logins
  const headers = { 'x-forwarded-access-token': 'anything', 'x-forwarded-email': victim }
  const error = await failureOf(async () => pool.asUser({ headers }).query(who))
  assert.ok(error instanceof ConfigurationError, error.stack)
  assert.match(error.message, /LAKEBASE_ENDPOINT/)
  assert.deepEqual(app.emulator.counts.logins, before, 'nobody was logged in, or tried to')
})

test('evictions during checkouts and logins: every session is its user\'s, and every refused login stays one', { timeout: 120_000 }, async () => {
  const { pool, tokens } = await scene({ users: { max: 1, maxPools: 2, idleTimeoutMillis: 20 } })
  app.emulator.setLatency(4)
  const identities = [
    [victim, { user: victim, token: tokens.victim }],
    [attacker, { user: attacker, token: tokens.attacker }],
    [undefined, { user: victim, token: tokens.attacker }],
    [undefined, { user: attacker, token: `${tokens.attacker}x` }],
  ]
  const attempt = async (number) => {
    const [name, identity] = identities[number % identities.length]
    const as = pool.forUser(identity)
    const work = number % 3 === 0 ? as.query(who) : number % 3 === 1 ? as.transaction((client) => client.query(who)) : as.connect().then(async (client) => {
      const result = await client.query(who)
      client.release(number % 2 === 0)
      return result
    })
    if (name === undefined) return assert.ok((await failureOf(work)) instanceof Error)
    assert.deepEqual((await work).rows, [{ user: name }])
  }
  for (let round = 0; round < 4; round++) await Promise.all(range(12).map((index) => attempt(round * 12 + index)))
})

test('end() while users log in: each is answered, no session stays', async () => {
  const { pool, tokens } = await scene()
  app.emulator.setLatency(20)
  const started = event(app.emulator.events, 'connect', (target) => target === 'database')
  const queries = range(6).map((index) => pool.forUser(index % 2 ? { user: attacker, token: tokens.attacker } : { user: victim, token: tokens.attacker }).query(who))
  const settled = Promise.allSettled(queries)
  await started
  await pool.end()
  for (const [index, { status, value, reason }] of (await settled).entries()) {
    if (index % 2 === 0) assert.ok(reason instanceof AuthenticationError, reason?.stack)
    else if (status === 'fulfilled') assert.deepEqual(value.rows, [{ user: attacker }])
    else assert.match(reason.message, /after calling end on the pool/)
  }
  while (app.emulator.counts.connections.database.open > 0) await once(app.emulator.events, 'disconnect')
})
