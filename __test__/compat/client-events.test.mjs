// The events of a client: connect, notice, notification, drain, error, end.
import { suite } from './harness.mjs'
import { say } from './fake-server.mjs'

const { compat } = await suite(import.meta.url)
const EVENTS = ['connect', 'notice', 'notification', 'drain', 'error', 'end']

compat('connect, queries, end', async ({ newClient, watch, note, settle }) => {
  const client = watch(newClient(), 'client', EVENTS)
  note('connecting')
  await client.connect()
  note('connected')
  await client.query('select 1')
  note('answered')
  await client.query('select 2')
  note('answered')
  await client.end()
  note('ended')
  await settle()
})
compat('drain comes once the queue is empty', async ({ newClient, watch, note, settle }) => {
  const client = watch(newClient(), 'client', ['drain'])
  await client.connect()
  await settle()
  note('nothing so far')
  await Promise.all([1, 2, 3].map((n) => client.query(`select ${n}`).then(() => note('answered', n))))
  await settle()
})
compat('drain after an error', async ({ newClient, capture, once }) => {
  const client = newClient()
  await client.connect()
  // Which of the two comes first depends on how the server's packets were cut.
  const drained = once(client, 'drain')
  return [await capture(client.query('select nope')), await drained]
})
compat('a query sent in drain', async ({ client, note }) => {
  const connected = await client()
  const second = new Promise((resolve) => connected.once('drain', () => resolve(connected.query('select 2 as b'))))
  return [await connected.query('select 1 as a'), await second]
})
compat('end with callbacks and events: their order', async ({ newClient, watch, note, settle }) => {
  const client = watch(newClient(), 'client', ['connect', 'end', 'drain'])
  await new Promise((resolve) => client.connect((error) => { note('connect callback', error); resolve() }))
  await new Promise((resolve) => client.query('select 1', (error) => { note('query callback', error); resolve() }))
  await new Promise((resolve) => client.end((...args) => { note('end callback', ...args); resolve() }))
  await settle()
})
compat('on connect: the client is ready', async ({ newClient, once }) => {
  const client = newClient()
  const answer = once(client, 'connect').then((args) => Promise.all([args, client.query('select 1 as a')]))
  client.connect()
  return answer
})

const notices = {
  'RAISE NOTICE': `do $$ begin raise notice 'hello %', 5; end $$`,
  'RAISE WARNING with every field': `do $$ begin raise warning using message = 'the message', detail = 'the detail', hint = 'the hint', errcode = '01ABC', column = 'c', constraint = 'k', datatype = 'd', table = 't', schema = 's'; end $$`,
  'RAISE INFO, LOG and DEBUG': `set client_min_messages = debug1; do $$ begin raise info 'i'; raise log 'l'; raise debug 'd'; end $$; reset client_min_messages`,
  'an object that exists already': 'create table if not exists t (a int)',
  'a table that does not exist': 'drop table if exists nowhere',
  'a truncated identifier': `select 1 as ${'x'.repeat(70)}`,
  'a transaction that is not open': 'commit',
  'a transaction that is open already': 'begin; begin; rollback',
  'CASCADE': 'create table a (b int primary key); create table c (b int references a); drop table a cascade',
  'several in one statement': `do $$ begin for i in 1..5 loop raise notice '%', i; end loop; end $$`,
  'in unusual characters': `do $$ begin raise notice E'line 1\nline "2" 😀'; end $$`,
}
for (const [name, text] of Object.entries(notices)) {
  compat(`notice: ${name}`, { setup: 'create table t (a int)' }, async ({ newClient, watch, note, settle }) => {
    const client = watch(newClient(), 'client', ['notice'])
    await client.connect()
    note('answered', await client.query(text))
  })
}
compat('notice: extended query', async ({ newClient, watch, capture }) => {
  const client = watch(newClient(), 'client', ['notice'])
  await client.connect()
  return client.query({ text: `do $$ begin raise notice 'extended'; end $$`, queryMode: 'extended' })
})
compat('notices and rows keep their order', { setup: `create function talk(n int) returns int language plpgsql as $$ begin raise notice 'row %', n; return n; end $$` }, async ({ newClient, pg, watch, note, once }) => {
  const client = watch(newClient(), 'client', ['notice'])
  await client.connect()
  const query = client.query(new pg.Query('select talk(n) from generate_series(1, 3) n'))
  query.on('row', (row) => note('row', row))
  await once(query, 'end')
})
compat('a notice before an error', async ({ newClient, watch, capture }) => {
  const client = watch(newClient(), 'client', ['notice', 'error'])
  await client.connect()
  return capture(client.query(`do $$ begin raise notice 'first'; raise exception 'then'; end $$`))
})
compat('a notice without a listener', async ({ client }) => (await client()).query(`do $$ begin raise notice 'unheard'; end $$`))
compat('a notice is no Error', async ({ newClient, once }) => {
  const client = newClient()
  await client.connect()
  const heard = once(client, 'notice')
  await client.query(`do $$ begin raise notice 'x'; end $$`)
  const [notice] = await heard
  return { isError: notice instanceof Error, keys: Object.keys(notice), name: notice.name, className: notice.constructor.name }
})
compat('notices through a pool', async ({ pool, note }) => {
  const opened = pool({ max: 1 })
  opened.on('connect', (client) => client.on('notice', (notice) => note('notice', notice.message)))
  await opened.query(`do $$ begin raise notice 'pooled'; end $$`)
})

/** Things a server may say at any time. */
function afterWelcome(answer) {
  return (socket, { letter }) => {
    if (letter === null) socket.write(say.welcome())
    else if (letter === 'Q') answer(socket)
    else if (letter === 'X') socket.end()
  }
}
const oneRow = (tag = 'SELECT 1') => [say.rowDescription([{ name: 'a', type: 23 }]), say.dataRow(['1']), say.commandComplete(tag), say.ready()]
const spoken = {
  'a parameter status in the middle of rows': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a', type: 23 }]), say.dataRow(['1']), say.parameterStatus('TimeZone', 'UTC'), say.dataRow(['2']), say.commandComplete('SELECT 2'), say.ready()])),
  'a notice in the middle of rows': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a', type: 23 }]), say.dataRow(['1']), say.notice({ S: 'NOTICE', C: '00000', M: 'between' }), say.dataRow(['2']), say.commandComplete('SELECT 2'), say.ready()])),
  'a notification in the middle of rows': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a', type: 23 }]), say.notification(77, 'channel', 'payload'), say.dataRow(['1']), say.commandComplete('SELECT 1'), say.ready()])),
  'a notice with unknown fields and no message': (socket) => socket.write(Buffer.concat([say.notice({ S: 'NOTICE', V: 'NOTICE', z: 'unknown' }), ...oneRow()])),
  'an error with every field': (socket) => socket.write(Buffer.concat([say.error({ S: 'FEHLER', V: 'ERROR', C: '12345', M: 'm', D: 'd', H: 'h', P: '7', p: '8', q: 'q', W: 'w', s: 's', t: 't', c: 'c', d: 'dt', n: 'n', F: 'f.c', L: '99', R: 'r', z: 'unknown' }), say.ready()])),
  'an error without fields': (socket) => socket.write(Buffer.concat([say.error({}), say.ready()])),
  'an error with the severity FATAL that leaves the connection': (socket) => socket.write(Buffer.concat([say.error({ S: 'FATAL', C: 'XX000', M: 'fatal' }), say.ready()])),
  'a command tag with an OID': (socket) => socket.write(Buffer.concat(oneRow('INSERT 1234 5'))),
  'a command tag without a number': (socket) => socket.write(Buffer.concat(oneRow('DO'))),
  'a command tag of several words': (socket) => socket.write(Buffer.concat(oneRow('CREATE TABLE AS'))),
  'a command tag of words and a number': (socket) => socket.write(Buffer.concat(oneRow('REFRESH MATERIALIZED VIEW 5'))),
  'an empty command tag': (socket) => socket.write(Buffer.concat(oneRow(''))),
  'a command tag with a large number': (socket) => socket.write(Buffer.concat(oneRow('SELECT 18446744073709551615'))),
  'an unknown status of the transaction': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a' }]), say.commandComplete('SELECT 0'), say.ready('X')])),
  'two row descriptions without a command between': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a', type: 23 }]), say.dataRow(['1']), say.rowDescription([{ name: 'b', type: 25 }]), say.dataRow(['2']), say.commandComplete('SELECT 1'), say.ready()])),
  'an OID above 2^31': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a', type: -1, table: -2, column: -3, size: -4, modifier: -5 }]), say.dataRow(['x']), say.commandComplete('SELECT 1'), say.ready()])),
  'bytes that are no UTF-8': (socket) => socket.write(Buffer.concat([say.rowDescription([{ name: 'a' }]), say.dataRow([Buffer.from([0xff, 0x41, 0xc3])]), say.commandComplete('SELECT 1'), say.ready()])),
}
for (const [name, answer] of Object.entries(spoken)) {
  compat(`a server that says ${name}`, async ({ fakeServer, newClient, watch, capture }) => {
    const { host, port } = await fakeServer(afterWelcome(answer))
    const client = watch(newClient({ host, port }), 'client', EVENTS.filter((event) => event !== 'connect'))
    await client.connect()
    const result = await capture(client.query('select 1'))
    return { result, status: client.getTransactionStatus() }
  })
}
compat('a server whose messages come byte by byte', async ({ fakeServer, newClient }) => {
  const { host, port } = await fakeServer(afterWelcome((socket) => {
    const bytes = Buffer.concat([...oneRow()])
    let at = 0
    const next = () => {
      if (at >= bytes.length) return
      socket.write(bytes.subarray(at, ++at))
      setImmediate(next)
    }
    next()
  }))
  const client = newClient({ host, port })
  await client.connect()
  return client.query('select 1')
})
compat('notices and parameters while connecting', async ({ fakeServer, newClient, watch }) => {
  const { host, port } = await fakeServer((socket, { letter }) => {
    if (letter === null) socket.write(Buffer.concat([say.authenticationOk(), say.notice({ S: 'WARNING', C: '01000', M: 'at login' }), say.parameterStatus('a', 'b'), say.backendKeyData(1, 2), say.ready()]))
    if (letter === 'X') socket.end()
  })
  const client = watch(newClient({ host, port }), 'client', EVENTS)
  await client.connect()
  return [client.processID, client.secretKey]
})
