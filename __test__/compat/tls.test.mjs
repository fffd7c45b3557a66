// TLS in every form a caller can ask for it.
import { readFile } from 'node:fs/promises'

import { suite } from './harness.mjs'

const { compat, server } = await suite(import.meta.url)
const ca = await readFile(server.caFile, 'utf8')
const encrypted = 'select ssl, version, cipher is not null as cipher from pg_stat_ssl where pid = pg_backend_pid()'

const accepted = {
  'no ssl': {},
  'ssl: false': { ssl: false },
  'ssl: no verification': { ssl: { rejectUnauthorized: false } },
  'ssl: "no-verify"': { ssl: 'no-verify' },
  'ssl: our authority': { ssl: { ca } },
  'ssl: our authority, by name': { ssl: { ca }, host: 'localhost' },
  'ssl: our authority as Buffer': { ssl: { ca: Buffer.from(ca) } },
  'ssl: a name to check instead': { ssl: { ca, servername: 'localhost', checkServerIdentity: () => undefined } },
  'ssl: a role that needs it': { ssl: { ca }, user: 'login_tls' },
  'ssl: scram over it': { ssl: { ca }, user: 'login_scram', password: `sécret '1` },
  'ssl: scram with channel binding': { ssl: { ca }, user: 'login_scram', password: `sécret '1`, enableChannelBinding: true },
  'ssl: TLS 1.2 at most': { ssl: { ca, maxVersion: 'TLSv1.2' } },
}
for (const [name, options] of Object.entries(accepted)) {
  compat(name, async ({ client }) => (await client(options)).query(encrypted))
}
const refused = {
  'ssl: true, and an unknown authority': { ssl: true },
  'ssl: {} and an unknown authority': { ssl: {} },
  'ssl: a role that needs it and has none': { user: 'login_tls' },
  'ssl: a server name that does not match': { ssl: { ca, checkServerIdentity: () => new Error('another server') } },
}
for (const [name, options] of Object.entries(refused)) {
  compat(name, async ({ proxy, newClient, capture }) => {
    const { host, port } = await proxy()
    const client = newClient({ host, port, ...options })
    client.on('error', () => {})
    const { rejected } = await capture(client.connect())
    return { className: rejected.constructor.name, message: rejected.message, code: rejected.code }
  })
}
compat('a server that does not speak TLS', async ({ fakeServer, newClient, capture }) => {
  const { host, port } = await fakeServer((socket) => socket.write('N'))
  return capture(newClient({ host, port, ssl: { ca } }).connect())
})
compat('a server that answers the request with an error', async ({ fakeServer, newClient, capture }) => {
  const { host, port } = await fakeServer((socket) => socket.write('E'))
  return capture(newClient({ host, port, ssl: { ca } }).connect())
})
compat('a pool over TLS', async ({ pool }) => {
  const opened = pool({ ssl: { ca }, max: 2 })
  return (await Promise.all([1, 2, 3].map(() => opened.query(encrypted)))).map(({ rows }) => rows)
})
compat('a large result over TLS', async ({ client }) => (await (await client({ ssl: { ca } })).query(`select n, repeat('x', 1000) as x from generate_series(1, 2000) n`)).rows.length)
compat('sslmode in a connection string', async ({ pg, track, config, server }) => {
  const seen = []
  for (const parameters of ['sslmode=no-verify', `sslmode=verify-full&sslrootcert=${encodeURIComponent(server.caFile)}`, 'sslmode=disable', 'uselibpqcompat=true&sslmode=require', 'ssl=no-verify']) {
    const client = track(new pg.Client(`postgres://${config.user}@${config.host}:${config.port}/${config.database}?${parameters}`))
    await client.connect()
    seen.push((await client.query(encrypted)).rows)
  }
  return seen
})
compat('PGSSLMODE', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    observe((await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows)
    await client.end()
  }, { env: { PGSSLMODE: 'no-verify' } }))
compat('a connection lost over TLS', async ({ proxy, newClient, watch, once, capture }) => {
  const link = await proxy()
  const client = watch(newClient({ host: link.host, port: link.port, ssl: { ca } }), 'client', ['end'])
  client.on('error', () => {})
  await client.connect()
  await client.query('select 1')
  const ended = once(client, 'end')
  link.hangUp()
  await ended
  return capture(client.query('select 1'))
})
