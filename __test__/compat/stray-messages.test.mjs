// Messages that come when nobody has asked for anything, and bytes that are no message.
import { suite } from './harness.mjs'
import { message, say } from './fake-server.mjs'

const { compat } = await suite(import.meta.url)
const EVENTS = ['connect', 'acquire', 'release', 'remove', 'error']

const strays = {
  'a RowDescription': say.rowDescription([{ name: 'a' }]),
  'a DataRow': say.dataRow(['x']),
  'a CommandComplete': say.commandComplete('SELECT 1'),
  'an EmptyQueryResponse': say.emptyQuery(),
  'a ParseComplete': message('1'),
  'a PortalSuspended': message('s'),
  'a CopyInResponse': message('G', Buffer.from([0, 0, 0])),
  'a CopyData': message('d', Buffer.from('x')),
  'an ErrorResponse': say.error({ S: 'ERROR', V: 'ERROR', C: 'XX000', M: 'out of the blue' }),
  'a message of no known type': message('?', Buffer.from('x')),
  'a message of no known type, without content': message('!'),
}

/** A server that answers queries, and says `stray` once it is told to. */
async function sayingStray(context, stray) {
  let say_
  const fake = await context.fakeServer((socket, { letter }) => {
    if (letter === null) {
      socket.write(say.welcome())
      say_ = () => socket.write(stray)
    }
    if (letter === 'Q') socket.write(Buffer.concat([say.rowDescription([{ name: 'a' }]), say.dataRow(['x']), say.commandComplete('SELECT 1'), say.ready()]))
    if (letter === 'X') socket.end()
  })
  return { fake, saysIt: () => say_() }
}

for (const [what, stray] of Object.entries(strays)) {
  compat(`${what} on an idle client`, async (context) => {
    const { fake: { host, port }, saysIt } = await sayingStray(context, stray)
    const client = context.watch(context.newClient({ host, port }), 'client', ['error'])
    await client.connect()
    await client.query('select 1')
    const failed = context.once(client, 'error')
    saysIt()
    await failed
    await context.settle(5)
    const next = await context.capture(client.query('select 1'))
    return { next, end: await context.capture(client.end()) }
  })
  compat(`${what} on an idle connection of a pool`, async (context) => {
    const { fake: { host, port }, saysIt } = await sayingStray(context, stray)
    const pool = context.watch(context.pool({ host, port, max: 1 }), 'pool', EVENTS)
    await pool.query('select 1')
    const [failed, removed] = [context.once(pool, 'error'), context.once(pool, 'remove')]
    saysIt()
    await failed
    await removed
    await context.settle(5)
    context.note('counts', pool.totalCount, pool.idleCount, pool.waitingCount)
    return (await pool.query('select 1')).rows
  })
  compat(`${what} on a client that a caller of a pool has`, async (context) => {
    const { fake: { host, port }, saysIt } = await sayingStray(context, stray)
    const pool = context.watch(context.pool({ host, port, max: 1 }), 'pool', EVENTS)
    const client = context.watch(await pool.connect(), 'client', ['error'])
    const failed = context.once(client, 'error')
    saysIt()
    await failed
    await context.settle(5)
    context.note('next', await context.capture(client.query('select 1')))
    const removed = context.once(pool, 'remove')
    client.release()
    await removed
    context.note('counts', pool.totalCount, pool.idleCount, pool.waitingCount)
    return (await pool.query('select 1')).rows
  })
}
compat('a ParameterStatus, a notice and a notification go unnoticed by queries', async (context) => {
  const stray = [say.parameterStatus('application_name', 'x'), say.notification(1, 'channel', 'payload'), say.notice({ S: 'NOTICE', V: 'NOTICE', C: '00000', M: 'behind it' })]
  const { fake: { host, port }, saysIt } = await sayingStray(context, Buffer.concat(stray))
  const pool = context.watch(context.pool({ host, port, max: 1 }), 'pool', EVENTS)
  const client = context.watch(await pool.connect(), 'client', ['notice', 'notification', 'error', 'end'])
  await client.query('select 1')
  const heard = context.once(client, 'notice')
  saysIt()
  await heard
  context.note('next', (await client.query('select 1')).rows)
  client.release()
  return (await pool.query('select 1')).rows
})
