// LISTEN and NOTIFY: what arrives, when, and on whom.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('a notification of another connection', async ({ client, once, admin }) => {
  const listener = await client()
  await listener.query('listen news')
  const heard = once(listener, 'notification')
  await admin(`notify news, 'payload'`)
  const [message, ...more] = await heard
  return { message, more, className: message.constructor.name }
})
compat('the sender’s processId', async ({ client, once }) => {
  const [listener, sender] = [await client(), await client()]
  await listener.query('listen news')
  const heard = once(listener, 'notification')
  await sender.query('notify news')
  const [message] = await heard
  return [message.processId === sender.processID, message.payload]
})
compat('a notification of oneself comes before the answer', async ({ client, watch, note }) => {
  const connected = watch(await client(), 'client', ['notification'])
  await connected.query('listen news')
  await connected.query(`notify news, 'to myself'`)
  note('answered')
})
compat('several, in order, duplicates folded by the server', async ({ client, once, admin, note, until }) => {
  const listener = await client()
  const payloads = []
  listener.on('notification', ({ payload }) => payloads.push(payload))
  await listener.query('listen news')
  await admin(`notify news, '1'; notify news, '2'; notify news, '2'; notify news, '3'`)
  await until(() => payloads.length === 3)
  return payloads
})
compat('channels of unusual names', async ({ client, until, admin, pg }) => {
  const listener = await client()
  const heard = []
  listener.on('notification', ({ channel, payload }) => heard.push([channel, payload]))
  const names = ['MixedCase', 'with space', 'with "quotes"', '名前', '__proto__', "it's"]
  for (const name of names) await listener.query(`listen ${pg.escapeIdentifier(name)}`)
  for (const name of names) await admin('select pg_notify($1, $2)', [name, `payload of ${name}`])
  await until(() => heard.length === names.length)
  return heard
})
compat('a payload of 7,999 bytes', async ({ client, once, admin }) => {
  const listener = await client()
  await listener.query('listen news')
  const heard = once(listener, 'notification')
  await admin(`select pg_notify('news', repeat('x', 7999))`)
  return (await heard)[0].payload.length
})
compat('a payload that is too long', async ({ client, capture }) => capture((await client()).query(`select pg_notify('news', repeat('x', 8000))`)))
compat('inside a transaction they come at commit', async ({ client, once, note }) => {
  const [listener, sender] = [await client(), await client()]
  await listener.query('listen news')
  listener.on('notification', ({ payload }) => note('heard', payload))
  await sender.query('begin')
  await sender.query(`notify news, 'held back'`)
  await listener.query('select 1')
  note('not yet')
  const heard = once(listener, 'notification')
  await sender.query('commit')
  await heard
})
compat('a rollback sends none', async ({ client, note, once }) => {
  const [listener, sender] = [await client(), await client()]
  await listener.query('listen news')
  listener.on('notification', ({ payload }) => note('heard', payload))
  await sender.query(`begin; notify news, 'dropped'; rollback`)
  const heard = once(listener, 'notification')
  await sender.query(`notify news, 'sent'`)
  await heard
})
compat('UNLISTEN', async ({ client, note, once }) => {
  const [listener, sender] = [await client(), await client()]
  listener.on('notification', ({ channel }) => note('heard', channel))
  await listener.query('listen a')
  await listener.query('listen b')
  await listener.query('unlisten a')
  const heard = once(listener, 'notification')
  await sender.query('notify a')
  await sender.query('notify b')
  await heard
})
compat('while the listener runs a query', async ({ client, note, admin, untilWaiting }) => {
  const listener = await client()
  listener.on('notification', ({ payload }) => note('heard', payload))
  await listener.query('listen news')
  const running = listener.query('select pg_sleep(0.05)').then(() => note('answered'))
  await admin(`notify news, 'during'`)
  await running
  await listener.query('select 1')
})
compat('on a client of a pool', async ({ pool, note, once, admin }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  await client.query('listen news')
  const heard = once(client, 'notification')
  await admin(`notify news, 'pooled'`)
  note((await heard)[0])
  const idle = once(client, 'notification')
  client.release()
  await admin(`notify news, 'while idle'`)
  note((await idle)[0])
})
compat('LISTEN through pool.query stays with that connection', async ({ pool, once, admin }) => {
  const opened = pool({ max: 1 })
  const heard = new Promise((resolve) => opened.on('connect', (client) => client.on('notification', resolve)))
  await opened.query('listen news')
  await admin(`notify news, 'x'`)
  return heard
})
compat('without a listener nothing happens', async ({ client, admin }) => {
  const listener = await client()
  await listener.query('listen news')
  await admin('notify news')
  return listener.query('select 1 as a')
})
compat('hundreds', async ({ client, until, admin }) => {
  const listener = await client()
  const heard = []
  listener.on('notification', ({ payload }) => heard.push(payload))
  await listener.query('listen news')
  await admin(`select pg_notify('news', n::text) from generate_series(1, 500) n`)
  await until(() => heard.length === 500)
  return heard.join()
})
