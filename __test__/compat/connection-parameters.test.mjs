// Where the settings of a connection come from: options, connection strings, PG* variables, defaults.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

const keys = ['user', 'password', 'host', 'port', 'database', 'ssl', 'sslnegotiation', 'binary', 'options', 'client_encoding', 'replication', 'isDomainSocket', 'application_name', 'fallback_application_name', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'query_timeout', 'connect_timeout', 'keepalives', 'keepalives_idle']

const strings = [
  'postgres://user:secret@host:1234/database', 'postgresql://user@host/database', 'postgres://host', 'postgres://host/db', 'postgres:///db', 'postgres://:pw@host/db', 'postgres://user:@host/db',
  'postgres://us%40er:p%3Aw%2F%40@host/d%20b', 'postgres://user:p w@host/d b', 'postgres://user:pa%ss@host/db', 'postgres://[::1]:5433/db', 'postgres://host:5433', 'postgres://user@/db',
  'postgres://%2Fvar%2Frun/db', 'postgres://user:pw@%2Fvar%2Frun:5433/db', 'postgres:///db?host=/var/run', 'socket:/var/run?db=mydb&encoding=utf8', 'socket:/var/run', '/var/run mydb', '/var/run',
  'pg://user:pw@host/db', 'db', 'postgres://host/db?user=u&password=p', 'postgres://a:b@host/db?user=u&password=p', 'postgres://host/db?port=99', 'postgres://host:1/db?port=99', 'postgres://host/db?host=other',
  'postgres://host/db?application_name=app&fallback_application_name=fall', 'postgres://host/db?options=-c%20a%3Db', 'postgres://host/db?statement_timeout=5&query_timeout=6&lock_timeout=7',
  'postgres://host/db?ssl=true', 'postgres://host/db?ssl=1', 'postgres://host/db?ssl=0', 'postgres://host/db?ssl=false', 'postgres://host/db?ssl=no-verify', 'postgres://host/db?ssl=nope',
  'postgres://host/db?sslmode=disable', 'postgres://host/db?sslmode=no-verify', 'postgres://host/db?sslmode=verify-full', 'postgres://host/db?sslmode=nope', 'postgres://host/db?sslnegotiation=direct', 'postgres://host/db?sslnegotiation=postgres', 'postgres://host/db?sslnegotiation=nope',
  'postgres://host/db?uselibpqcompat=true&sslmode=prefer', 'postgres://host/db?uselibpqcompat=true&sslmode=require', 'postgres://host/db?uselibpqcompat=true&sslmode=verify-ca', 'postgres://host/db?uselibpqcompat=true&sslmode=disable', 'postgres://host/db?sslrootcert=/nonexistent.pem',
  'postgres://host/db?client_encoding=latin1', 'postgres://host/db?binary=true', 'postgres://host/db?keepalives=0', 'postgres://host/db?unknown=x&__proto__=y', 'postgres://host/db?max=5&min=1', 'postgres://user:pw@host/db#fragment', 'postgres://host/%F0%9F%98%80', 'postgres://user:pw@host:notaport/db', '', ' ', 'postgres://', 'http://host/db', 'postgres://host:70000/db', 'postgres://a:b@c:d@host/db',
]
for (const text of strings) {
  compat(`connection string ${JSON.stringify(text)}`, async ({ pg, capture }) => {
    const read = (config) => {
      const { connectionParameters } = new pg.Client(config)
      return Object.fromEntries(keys.map((key) => [key, connectionParameters[key]]))
    }
    return [await capture(() => read(text)), await capture(() => read({ connectionString: text })), await capture(() => read({ connectionString: text, user: 'option', port: 7, host: 'elsewhere', database: 'other', password: 'given', ssl: false }))]
  })
}

const options = {
  'nothing': {},
  'a port as text': { port: '5433' },
  'a port that is no number': { port: 'x' },
  'a host that is a directory': { host: '/var/run/postgresql' },
  'a user and no database': { user: 'somebody' },
  'empty strings': { user: '', host: '', database: '', password: '', port: '' },
  'null': { user: null, host: null, database: null, password: null, port: null },
  'ssl true': { ssl: true },
  'ssl text': { ssl: 'true' },
  'ssl no-verify': { ssl: 'no-verify' },
  'ssl object': { ssl: { rejectUnauthorized: false, ca: 'x' } },
  'ssl null': { ssl: null },
  'sslnegotiation direct without ssl': { sslnegotiation: 'direct' },
  'sslnegotiation direct': { sslnegotiation: 'direct', ssl: true },
  'sslnegotiation nope': { sslnegotiation: 'nope' },
  'timeouts': { statement_timeout: 1, lock_timeout: '2', idle_in_transaction_session_timeout: 3, query_timeout: 4, connectionTimeoutMillis: 1999 },
  'timeouts of 0': { statement_timeout: 0, lock_timeout: 0, query_timeout: 0, connectionTimeoutMillis: 0 },
  'keepAlive false': { keepAlive: false },
  'keepAlive true with a delay': { keepAlive: true, keepAliveInitialDelayMillis: 12_345 },
  'replication': { replication: 'database' },
  'names': { application_name: 'app', fallback_application_name: 'fall', client_encoding: 'utf8', binary: true, options: '-c a=b' },
}
for (const [name, given] of Object.entries(options)) {
  compat(`options: ${name}`, async ({ pg, capture }) => capture(() => {
    const client = new pg.Client(given)
    return { parameters: Object.fromEntries(keys.map((key) => [key, client.connectionParameters[key]])), startup: client.getStartupConf(), own: { user: client.user, host: client.host, database: client.database, ssl: client.ssl, sslNegotiation: client.sslNegotiation } }
  }))
}

const environments = {
  'none': {},
  'the usual': { PGUSER: 'envuser', PGPASSWORD: 'envpw', PGHOST: 'envhost', PGPORT: '5439', PGDATABASE: 'envdb', PGAPPNAME: 'envapp', PGOPTIONS: '-c work_mem=3MB' },
  'USER': { USER: 'unixuser' },
  'USER and PGUSER': { USER: 'unixuser', PGUSER: 'envuser' },
  'PGSSLMODE disable': { PGSSLMODE: 'disable' },
  'PGSSLMODE prefer': { PGSSLMODE: 'prefer' },
  'PGSSLMODE require': { PGSSLMODE: 'require' },
  'PGSSLMODE no-verify': { PGSSLMODE: 'no-verify' },
  'PGSSLMODE nope': { PGSSLMODE: 'nope' },
  'PGSSLNEGOTIATION': { PGSSLMODE: 'require', PGSSLNEGOTIATION: 'direct' },
  'PGCONNECT_TIMEOUT': { PGCONNECT_TIMEOUT: '9' },
  'PGCLIENT_ENCODING, PGREPLICATION and PGBINARY': { PGCLIENT_ENCODING: 'latin1', PGREPLICATION: 'true', PGBINARY: '1' },
  'statement timeouts have no variable': { PGSTATEMENT_TIMEOUT: '5', PGQUERY_TIMEOUT: '5', PGLOCK_TIMEOUT: '5' },
}
for (const [name, env] of Object.entries(environments)) {
  compat(`environment: ${name}`, async ({ child }) =>
    child(async ({ pg, observe }, names) => {
      const show = (config) => {
        const { connectionParameters: parameters } = new pg.Client(config)
        return Object.fromEntries(names.map((key) => [key, parameters[key]]))
      }
      observe(show(undefined), show({ host: 'given', user: 'given', password: 'given', port: 1, database: 'given', ssl: false }), show('postgres://text@text/text'))
    }, { env, args: [keys] }))
}
compat('environment: a real connection', async ({ child, config, server }) =>
  child(async ({ pg, observe }) => {
    const pool = new pg.Pool()
    observe((await pool.query(`select current_user, current_setting('application_name') as app, current_setting('work_mem') as mem`)).rows)
    await pool.end()
  }, { env: { PGHOST: config.host, PGPORT: String(config.port), PGUSER: config.user, PGDATABASE: config.database, PGAPPNAME: 'from the environment', PGOPTIONS: '-c work_mem=3MB' } }))
compat('environment: PGPASSWORD', async ({ child, config }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client({ ...config, user: 'login_scram' })
    await client.connect()
    observe((await client.query('select current_user')).rows)
    await client.end()
  }, { env: { PGPASSWORD: `sécret '1` } }))
compat('defaults changed by the caller', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    Object.assign(pg.defaults, { user: 'default-user', host: 'default-host', port: 9999, database: 'default-db', application_name: 'default-app', ssl: true, statement_timeout: 77 })
    const { user, host, port, database, application_name, ssl, statement_timeout } = new pg.Client().connectionParameters
    observe({ user, host, port, database, application_name, ssl, statement_timeout })
    Object.assign(pg.defaults, { ...config, ssl: false, host: config.host })
    const client = new pg.Client()
    await client.connect()
    observe((await client.query('show statement_timeout')).rows)
    await client.end()
  }))

compat('a connection string that works', async ({ pg, track, config }) => {
  const client = track(new pg.Client(`postgres://${config.user}@${config.host}:${config.port}/${config.database}?application_name=from%20text&options=-c%20work_mem%3D4MB`))
  await client.connect()
  return client.query(`select current_setting('application_name') as app, current_setting('work_mem') as mem`)
})
compat('a connection string for a pool', async ({ pg, track, config }) => {
  const pool = track(new pg.Pool({ connectionString: `postgres://${config.user}@${config.host}:${config.port}/${config.database}`, max: 1 }))
  return [await pool.query('select 1 as a'), pool.options.connectionString.length > 0]
})
compat('a Unix socket', async ({ client, server }) => (await client({ host: server.socketDirectory })).query('select inet_server_addr() as address'))
compat('a Unix socket in a connection string', async ({ pg, track, config, server }) => {
  const client = track(new pg.Client(`postgres://${config.user}@${encodeURIComponent(server.socketDirectory)}:${config.port}/${config.database}`))
  await client.connect()
  return client.query('select inet_server_addr() as address')
})
compat('localhost by name', async ({ client }) => (await client({ host: 'localhost' })).query('select 1 as a'))
compat('application_name: given, fallback, both', async ({ client }) => {
  const seen = []
  for (const options of [{ application_name: 'app' }, { fallback_application_name: 'fall' }, { application_name: 'app', fallback_application_name: 'fall' }, { application_name: 'ünï 😀' }, { application_name: 'x'.repeat(100) }, {}]) {
    seen.push((await (await client(options)).query('show application_name')).rows)
  }
  return seen
})
compat('options with several settings and escapes', async ({ client }) =>
  (await client({ options: `-c my.one=1 --my.two=two\\ words -c search_path=a,b` })).query(`select current_setting('my.one') as one, current_setting('my.two') as two, current_setting('search_path') as path`))
compat('client_encoding is always UTF8', async ({ client }) => {
  const connected = await client({ client_encoding: 'latin1' })
  return [await connected.query('show client_encoding'), await connected.query(`select 'é名' as text`)]
})
compat('keepAlive', async ({ client }) => (await client({ keepAlive: true, keepAliveInitialDelayMillis: 1000 })).query('select 1 as a'))
compat('a password file', async ({ child, config }) => {
  const { mkdtemp, writeFile, chmod, rm } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const directory = await mkdtemp(`${tmpdir()}/compat-pgpass-`)
  const file = `${directory}/pgpass`
  await writeFile(file, `*:*:*:login_cleartext:cleartext-secret\n`)
  await chmod(file, 0o600)
  const seen = await child(async ({ pg, config, observe }) => {
    const client = new pg.Client({ ...config, user: 'login_cleartext' })
    await client.connect()
    observe((await client.query('select current_user')).rows)
    await client.end()
  }, { env: { PGPASSFILE: file } })
  await rm(directory, { recursive: true })
  return seen
})
