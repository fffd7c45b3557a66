// A client of its own: connecting, queueing, ending, and what it says of itself.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('connect resolves to the client', async ({ newClient }) => {
  const fresh = newClient()
  const connected = await fresh.connect()
  return [connected === fresh, await fresh.query('select 1 as a')]
})
compat('connect twice', async ({ newClient, capture }) => {
  const fresh = newClient()
  await fresh.connect()
  return [await capture(fresh.connect()), await fresh.query('select 1 as a')]
})
compat('connect twice at once', async ({ newClient, capture }) => {
  const fresh = newClient()
  const first = capture(fresh.connect())
  const second = await capture(fresh.connect())
  return { second, first: await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 200, 'first never settles'))]) }
})
compat('connect again after end', async ({ newClient, capture }) => {
  const fresh = newClient()
  await fresh.connect()
  await fresh.end()
  return capture(fresh.connect())
})
compat('connect after a failed connect', async ({ newClient, capture }) => {
  const fresh = newClient({ database: 'does_not_exist' })
  fresh.on('error', () => {})
  return [await capture(fresh.connect()), await capture(fresh.query('select 1'))]
})
compat('end resolves to undefined, and again', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.end()), await capture(connected.end()), await capture(() => connected.end(() => {}))]
})
compat('end before connect', async ({ newClient, capture }) => {
  const fresh = newClient()
  return [await capture(fresh.end()), await capture(fresh.connect().catch((error) => error.message))]
})
compat('end twice at once', async ({ client, capture }) => {
  const connected = await client()
  return Promise.all([capture(connected.end()), capture(connected.end())])
})
compat('end while a query runs', async ({ client, capture }) => {
  const connected = await client()
  const running = capture(connected.query('select pg_sleep(0.3)'))
  const queued = capture(connected.query('select 1'))
  const ended = await capture(connected.end())
  return { running: await running, queued: await queued, ended }
})
compat('end right after a query is answered', async ({ client }) => {
  const connected = await client()
  const result = await connected.query('select 1 as a')
  await connected.end()
  return result
})
compat('query after end', async ({ client, capture, callback, pg, once }) => {
  const connected = await client()
  await connected.end()
  const done = callback()
  connected.query('select 1', done)
  await done.called
  const event = await once(connected.query(new pg.Query('select 1')), 'error')
  return { promise: await capture(connected.query('select 1')), event }
})
compat('query while ending', async ({ client, capture }) => {
  const connected = await client()
  const ended = connected.end()
  const refused = await capture(connected.query('select 1'))
  await ended
  return refused
})
compat('queries before connect are queued', async ({ newClient, note }) => {
  const fresh = newClient()
  const queries = [1, 2, 3].map((n) => fresh.query('select $1::int as n', [n]).then(({ rows }) => note('answered', rows)))
  note('connecting')
  await fresh.connect()
  note('connected')
  await Promise.all(queries)
})
compat('queries before a connect that fails', async ({ newClient, capture, note }) => {
  const fresh = newClient({ port: 1 })
  fresh.on('error', (error) => note('error event', error.code))
  const query = capture(fresh.query('select 1'))
  const connected = await capture(fresh.connect())
  return { connected: connected.rejected.code, query: await Promise.race([query, new Promise((resolve) => setTimeout(resolve, 5_000, 'never settles'))]) }
})
compat('queries run one after another, in order', async ({ client, note }) => {
  const connected = await client()
  await Promise.all([0.03, 0, 0.01, 0].map((seconds, i) => connected.query(`select ${i} as n, pg_sleep(${seconds})`).then(({ rows }) => note(rows[0].n))))
})
compat('processID and secretKey', async ({ newClient }) => {
  const fresh = newClient()
  const before = [fresh.processID, fresh.secretKey]
  await fresh.connect()
  const { rows } = await fresh.query('select pg_backend_pid() as pid')
  return { before, same: rows[0].pid === fresh.processID, secret: typeof fresh.secretKey }
})
compat('own and derived properties', async ({ newClient, server }) => {
  const fresh = newClient({ application_name: 'app', ssl: false })
  const seen = Object.fromEntries(['user', 'database', 'host', 'password', 'binary', 'ssl', 'replication', 'enableChannelBinding', 'pipeline', 'scramMaxIterations', 'sslNegotiation', 'processID'].map((key) => [key, fresh[key]]))
  return { seen, port: fresh.port === server.port, methods: ['connect', 'query', 'end', 'cancel', 'ref', 'unref', 'setTypeParser', 'getTypeParser', 'escapeIdentifier', 'escapeLiteral', 'getTransactionStatus', 'getStartupConf'].map((name) => `${name} ${typeof fresh[name]} ${fresh[name]?.length}`) }
})
compat('connectionParameters', async ({ newClient }) => {
  const fresh = newClient({ application_name: 'app', statement_timeout: 100, query_timeout: 200, keepAlive: true, keepAliveInitialDelayMillis: 3000, connectionTimeoutMillis: 2500 })
  const { port, ...rest } = fresh.connectionParameters
  return { ...rest, password: fresh.connectionParameters.password }
})
compat('the password is hidden', async ({ newClient }) => {
  const { inspect } = await import('node:util')
  const fresh = newClient({ password: 'very secret' })
  return { inspected: inspect(fresh, { depth: 6 }).includes('very secret'), json: Object.keys(fresh).includes('password'), readable: fresh.password }
})
compat('getTransactionStatus', async ({ newClient, capture }) => {
  const fresh = newClient()
  const seen = [fresh.getTransactionStatus()]
  await fresh.connect()
  await fresh.query('select 1')
  seen.push(fresh.getTransactionStatus())
  await fresh.query('begin')
  seen.push(fresh.getTransactionStatus())
  await capture(fresh.query('select nope'))
  await capture(fresh.query('select nope again'))
  seen.push(fresh.getTransactionStatus())
  await fresh.query('rollback')
  seen.push(fresh.getTransactionStatus())
  await fresh.query('begin; select 1')
  seen.push(fresh.getTransactionStatus())
  await fresh.query('commit and chain')
  seen.push(fresh.getTransactionStatus())
  await fresh.query('commit')
  seen.push(fresh.getTransactionStatus())
  await fresh.end()
  seen.push(fresh.getTransactionStatus())
  return seen
})
compat('new Client() without arguments, with a string, with an object', async ({ pg }) =>
  [new pg.Client({ host: 'h', port: 1, user: 'u', database: 'd' }), new pg.Client('postgres://u:p@h:2/d'), new pg.Client({ connectionString: 'postgres://u2@h2/d2' })].map(({ host, port, user, database, password }) => ({ host, port, user, database, password })))
compat('a Client without new', async ({ pg, capture }) => capture(() => pg.Client({})))
compat('a Pool without new', async ({ pg, capture }) => capture(() => pg.Pool({})))
compat('a subclass of Client', async ({ pg, config, track }) => {
  class Own extends pg.Client {
    query(...args) {
      this.asked = (this.asked ?? 0) + 1
      return super.query(...args)
    }
  }
  const own = track(new Own(config))
  await own.connect()
  await own.query('select 1')
  return [own.asked, own instanceof pg.Client]
})
compat('the exports', async ({ pg }) => Object.keys(pg).filter((key) => !key.startsWith('_')).map((key) => `${key}: ${typeof pg[key]}`).sort())
compat('Client.Query is Query', async ({ pg }) => [pg.Client.Query === pg.Query, typeof pg.Query, pg.native])
compat('import and require give the same', async ({ child }) =>
  child(async ({ pg, observe }) => {
    observe(Object.keys(pg).filter((key) => !key.startsWith('_')).sort(), pg.native)
  }))
compat('ref and unref', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(() => connected.unref()), await capture(() => connected.ref()), await connected.query('select 1 as a')]
})
compat('unref lets the process end', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    observe((await client.query('select 1 as a')).rows)
    client.unref()
    process.on('exit', () => observe('exit'))
  }))
compat('a connected client holds the process', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    setTimeout(() => {
      observe('the timer ran')
      client.end()
    }, 50).unref()
  }))
compat('deprecations warn once', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    await Promise.all([client.query('select 1'), client.query('select 2'), client.query('select 3'), client.query('select 4')])
    observe(client.activeQuery ?? 'none', client.queryQueue)
    await client.end()
    const own = new pg.Client({ ...config, Promise })
    await own.connect()
    await own.end()
  }))
compat('no warning for one query at a time, nor through a pool', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 2 })
    await Promise.all(Array.from({ length: 20 }, () => pool.query('select 1')))
    const client = await pool.connect()
    await client.query('select 1')
    await client.query('select 2')
    client.release()
    await pool.end()
    observe('done')
  }))
