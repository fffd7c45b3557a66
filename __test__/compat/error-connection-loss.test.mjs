// Connections that are refused, never made, or lost: at login, while idle, in a query, in a transaction, in a result.
import { suite } from './harness.mjs'
import { say } from './fake-server.mjs'

const { compat } = await suite(import.meta.url)

/** A client whose events and queries are logged, through a proxy that can break. */
async function throughProxy({ proxy, newClient, watch }, options = {}) {
  const link = await proxy()
  const client = watch(newClient({ host: link.host, port: link.port, ...options }), 'client', ['error', 'end'])
  return { link, client }
}

const refused = {
  'a port where nothing listens': { port: 1 },
  'a host name that does not resolve': { host: 'does-not-exist.invalid' },
  'a socket that does not exist': { host: '/nonexistent-directory' },
  'a database that does not exist': { database: 'does_not_exist' },
  'a role that does not exist': { user: 'does_not_exist' },
  'a role without login': { user: 'login_nologin' },
  'a role with no connections left': { user: 'login_limited' },
  'a host that pg_hba.conf rejects': { user: 'login_rejected' },
  'a bad option': { options: '-c nope=1' },
  'a bad value of an option': { options: '-c work_mem=lots' },
}
for (const [name, options] of Object.entries(refused)) {
  compat(`connect to ${name}`, async ({ newClient, watch, capture, once }) => {
    const client = watch(newClient(options), 'client', ['error', 'end'])
    const ended = once(client, 'end')
    const failed = await capture(client.connect())
    await ended
    return failed
  })
}
compat('connect with a callback to a port where nothing listens', async ({ newClient }) => {
  const client = newClient({ port: 1 })
  const args = await new Promise((resolve) => client.connect((...given) => resolve(given)))
  return [args.length, args[0].code, args[0].syscall]
})

const logins = {
  'scram-sha-256': ['login_scram', `sécret '1`],
  'md5': ['login_md5', 'md5-secret'],
  'a cleartext password': ['login_cleartext', 'cleartext-secret'],
}
for (const [method, [user, password]] of Object.entries(logins)) {
  compat(`${method}: accepted`, async ({ client }) => (await client({ user, password })).query('select current_user'))
  compat(`${method}: refused`, async ({ newClient, capture }) => capture(newClient({ user, password: 'wrong' }).connect()))
  compat(`${method}: no password`, async ({ newClient, capture }) => capture(newClient({ user }).connect()))
  compat(`${method}: an empty password`, async ({ newClient, capture }) => capture(newClient({ user, password: '' }).connect()))
  compat(`${method}: a password function`, async ({ client, note }) => {
    const connected = await client({ user, password: (...args) => { note('asked', args.length, Object.keys(args[0]).sort(), args[0].user); return password } })
    return connected.query('select current_user')
  })
  compat(`${method}: an async password function`, async ({ client }) => (await client({ user, password: async () => password })).query('select current_user'))
  // pg leaves a login that fails on its own side half open; the proxy closes it when the case is over.
  compat(`${method}: a password function that rejects`, async ({ proxy, newClient, capture }) => {
    const { host, port } = await proxy()
    return capture(newClient({ host, port, user, password: async () => { throw new TypeError('no token') } }).connect())
  })
  compat(`${method}: a password function that gives a number`, async ({ proxy, newClient, capture }) => {
    const { host, port } = await proxy()
    return capture(newClient({ host, port, user, password: () => 5 }).connect())
  })
  compat(`${method}: a password function that gives undefined`, async ({ newClient, capture }) => capture(newClient({ user, password: () => undefined }).connect()))
}
compat('a password function is not asked when the server asks for none', async ({ client, note }) => {
  const connected = await client({ password: () => { note('asked'); return 'x' } })
  return connected.query('select 1 as a')
})
compat('a pool asks the password function for each connection', async ({ pool, note }) => {
  let asked = 0
  const opened = pool({ user: 'login_scram', max: 3, password: () => { asked++; return `sécret '1` } })
  const clients = await Promise.all([opened.connect(), opened.connect(), opened.connect()])
  for (const client of clients) client.release()
  return asked
})
compat('a pool whose password function fails', async ({ proxy, pool, capture }) => {
  const { host, port } = await proxy()
  const opened = pool({ host, port, user: 'login_scram', password: async () => { throw new Error('no token') } })
  return [await capture(opened.query('select 1')), await capture(opened.connect()), opened.totalCount]
})
compat('scram: more iterations than allowed', async ({ proxy, newClient, capture }) => {
  const { host, port } = await proxy()
  return capture(newClient({ host, port, user: 'login_scram', password: `sécret '1`, scramMaxIterations: 100 }).connect())
})

/** A login that ends in an unusual way. */
const greetings = {
  'closes at once': (socket) => socket.destroy(),
  'closes after authentication': (socket) => socket.end(say.authenticationOk()),
  'closes after an error': (socket) => socket.end(say.error({ S: 'FATAL', V: 'FATAL', C: '57P03', M: 'the database system is starting up' })),
  'says an error, then nothing': (socket) => socket.write(say.error({ S: 'FATAL', V: 'FATAL', C: '53300', M: 'sorry, too many clients already' })),
  'asks for an unknown SASL mechanism': (socket) => socket.write(say.authentication(10, Buffer.from('NOPE\0\0'))),
}
for (const [name, greet] of Object.entries(greetings)) {
  compat(`a server that ${name}`, async ({ fakeServer, newClient, watch, capture }) => {
    const { host, port } = await fakeServer((socket, { letter }) => letter === null && greet(socket))
    const client = watch(newClient({ host, port, password: 'x' }), 'client', ['error'])
    return capture(client.connect())
  })
}
compat('a server that never answers, with connectionTimeoutMillis', async ({ fakeServer, newClient, capture }) => {
  const { host, port } = await fakeServer(() => {})
  const client = newClient({ host, port, connectionTimeoutMillis: 50 })
  const keepAlive = setTimeout(() => {}, 5000)
  const failed = await capture(client.connect())
  clearTimeout(keepAlive)
  return failed
})
compat('a pool and a server that closes at once', async ({ fakeServer, pool, capture }) => {
  const { host, port } = await fakeServer((socket) => socket.destroy())
  const opened = pool({ host, port })
  return [await capture(opened.connect()), await capture(opened.query('select 1')), opened.totalCount]
})
compat('a pool whose first connection fails and whose next works', async ({ proxy, pool, capture }) => {
  const link = await proxy()
  link.hangUpAfter(5)
  const opened = pool({ host: link.host, port: link.port, max: 1 })
  const failed = await capture(opened.query('select 1 as a'))
  link.hangUpAfter(Infinity)
  return [failed, await opened.query('select 1 as a')]
})

for (const [how, cut] of [['closed', (link) => link.hangUp()], ['reset', (link) => link.reset()]]) {
  compat(`${how} while idle`, async (context) => {
    const { link, client } = await throughProxy(context)
    await client.connect()
    await client.query('select 1')
    const ended = context.once(client, 'end')
    cut(link)
    await ended
    return context.capture(client.query('select 1'))
  })
  compat(`${how} during a query`, async (context) => {
    const { link, client } = await throughProxy(context)
    await client.connect()
    const ended = context.once(client, 'end')
    const running = context.capture(client.query('select pg_sleep(10)'))
    await context.untilWaiting(1)
    cut(link)
    await ended
    return { running: await running, next: await context.capture(client.query('select 1')) }
  })
  compat(`${how} with queries queued behind`, async (context) => {
    const { link, client } = await throughProxy(context)
    await client.connect()
    const ended = context.once(client, 'end')
    const queries = ['select pg_sleep(10)', 'select 2', 'select 3'].map((text) => context.capture(client.query(text)))
    await context.untilWaiting(1)
    cut(link)
    await ended
    return Promise.all(queries)
  })
  compat(`${how} in a transaction`, async (context) => {
    const { link, client } = await throughProxy(context)
    await client.connect()
    await client.query('begin')
    const ended = context.once(client, 'end')
    cut(link)
    await ended
    return { next: await context.capture(client.query('commit')), ended: await context.capture(client.end()) }
  })
  compat(`${how} while idle in a pool`, async (context) => {
    const link = await context.proxy()
    const pool = context.watch(context.pool({ host: link.host, port: link.port, max: 1 }), 'pool', ['error', 'remove'])
    await pool.query('select 1')
    const removed = context.once(pool, 'remove')
    cut(link)
    await removed
    return [pool.totalCount, await pool.query('select 2 as a')]
  })
  compat(`${how} during pool.query`, async (context) => {
    const link = await context.proxy()
    const pool = context.watch(context.pool({ host: link.host, port: link.port, max: 1 }), 'pool', ['error'])
    const running = context.capture(pool.query('select pg_sleep(10)'))
    await context.untilWaiting(1)
    cut(link)
    return [await running, await pool.query('select 2 as a')]
  })
  compat(`${how} on a checked-out client, then released`, async (context) => {
    const link = await context.proxy()
    const pool = context.watch(context.pool({ host: link.host, port: link.port, max: 1 }), 'pool', ['error'])
    const client = context.watch(await pool.connect(), 'client', ['error'])
    const ended = context.once(client, 'end')
    cut(link)
    await ended
    const failed = await context.capture(client.query('select 1'))
    client.release()
    return [failed, await pool.query('select 2 as a')]
  })
}

for (const bytes of [1, 4, 5, 6, 30, 60, 500, 5000]) {
  compat(`lost after ${bytes} bytes of a result`, async (context) => {
    const { link, client } = await throughProxy(context)
    await client.connect()
    const ended = context.once(client, 'end')
    link.hangUpAfter(bytes)
    const failed = await context.capture(client.query('select n, repeat($$x$$, 20) as x from generate_series(1, 5000) n'))
    await ended
    return failed
  })
}
compat('rows that arrived before the loss are emitted', async (context) => {
  const { link, client } = await throughProxy(context)
  await client.connect()
  const ended = context.once(client, 'end')
  link.hangUpAfter(27 + 3 * 12)
  const rows = []
  const query = client.query(new context.pg.Query('select n from generate_series(1, 9) n'))
  query.on('row', (row) => rows.push(row))
  const [error] = await context.once(query, 'error')
  await ended
  return { rows, error }
})

const backend = async (client) => (await client.query('select pg_backend_pid() as pid')).rows[0].pid
compat('ended by the server while idle', async ({ newClient, watch, admin, once, capture }) => {
  const client = watch(newClient(), 'client', ['error', 'end'])
  await client.connect()
  const ended = once(client, 'end')
  await admin('select pg_terminate_backend($1)', [await backend(client)])
  await ended
  return { next: await capture(client.query('select 1')), end: await capture(client.end()) }
})
compat('ended by the server during a query', async ({ newClient, watch, admin, once, capture, untilWaiting }) => {
  const client = watch(newClient(), 'client', ['error', 'end'])
  await client.connect()
  const pid = await backend(client)
  const ended = once(client, 'end')
  const running = capture(client.query('select pg_sleep(10)'))
  await untilWaiting(1)
  await admin('select pg_terminate_backend($1)', [pid])
  const outcome = await running
  await ended
  return { outcome, next: await capture(client.query('select 1')) }
})
compat('ended by itself', async ({ newClient, watch, once, capture }) => {
  const client = watch(newClient(), 'client', ['error', 'end'])
  await client.connect()
  const ended = once(client, 'end')
  const failed = await capture(client.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)'))
  await ended
  return failed
})
compat('ended by the server in the middle of a pool’s queries', async ({ pool, capture, admin, untilWaiting }) => {
  const opened = pool({ max: 2 })
  const queries = Array.from({ length: 6 }, (_, i) => capture(opened.query(i === 0 ? 'select pg_sleep(10)' : `select ${i} as n`)))
  await untilWaiting(1)
  await Promise.all(queries.slice(1))
  await admin(`select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(10)' and state = 'active' and pid <> pg_backend_pid() and datname = current_database()`)
  const results = await Promise.all(queries)
  return results.map(({ resolved, rejected }) => resolved?.rows ?? rejected)
})
compat('idle_in_transaction_session_timeout', async ({ newClient, watch, once, capture }) => {
  const client = watch(newClient({ idle_in_transaction_session_timeout: 50 }), 'client', ['error', 'end'])
  await client.connect()
  const ended = once(client, 'end')
  await client.query('begin')
  await ended
  return capture(client.query('select 1'))
})
compat('idle_session_timeout in a pool', async ({ pool, watch, once }) => {
  const opened = watch(pool({ max: 1, options: '-c idle_session_timeout=500' }), 'pool', ['error'])
  const failed = once(opened, 'error')
  await opened.query('select 1')
  await failed
  return [opened.totalCount, await opened.query('select 2 as a')]
})
compat('an error between queries that leaves the connection', async ({ fakeServer, newClient, watch, once, capture }) => {
  const { host, port } = await fakeServer((socket, { letter }) => {
    if (letter === null) {
      socket.write(say.welcome())
      setImmediate(() => socket.write(say.error({ S: 'ERROR', V: 'ERROR', C: 'XX000', M: 'out of the blue' })))
    }
    if (letter === 'X') socket.end()
  })
  const client = watch(newClient({ host, port }), 'client', ['error', 'end'])
  const failed = once(client, 'error')
  await client.connect()
  await failed
  return capture(client.query('select 1'))
})
compat('an error of a client without a listener is uncaught', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    process.on('uncaughtException', (error) => {
      observe(['uncaught', error.code, error.message])
      process.exit(3)
    })
    const client = new pg.Client(config)
    await client.connect()
    const { rows } = await client.query('select pg_backend_pid() as pid')
    const killer = new pg.Client(config)
    await killer.connect()
    await killer.query('select pg_terminate_backend($1)', [rows[0].pid])
    await killer.end()
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    observe('the process goes on')
    process.exit(0)
  }))
