// pg-listen, unmodified: it asks for `pg` itself and gets the driver under test.
import { loadExtension } from './drivers.mjs'
import { suite } from './harness.mjs'

loadExtension('pg-listen')
const { compat } = await suite(import.meta.url)

compat('listen, notify, unlisten, close', async ({ child }) =>
  child(async ({ pg, config, observe, require }) => {
    const createSubscriber = require('pg-listen').default ?? require('pg-listen')
    const subscriber = createSubscriber(config)
    subscriber.events.on('error', (error) => observe(['error', error.message]))
    subscriber.events.on('connected', () => observe('connected'))
    const heard = new Promise((resolve) => subscriber.notifications.on('news', resolve))
    await subscriber.connect()
    await subscriber.listenTo('news')
    observe(subscriber.getSubscribedChannels())
    await subscriber.notify('news', { hello: 'wörld', list: [1, null] })
    observe(await heard)
    await subscriber.unlistenAll()
    observe(subscriber.getSubscribedChannels())
    await subscriber.close()
  }))
compat('notifications of another connection, in order', async ({ child }) =>
  child(async ({ pg, config, observe, require }) => {
    const createSubscriber = require('pg-listen').default ?? require('pg-listen')
    const subscriber = createSubscriber(config)
    await subscriber.connect()
    await subscriber.listenTo('news')
    const seen = []
    const all = new Promise((resolve) => subscriber.notifications.on('news', (payload) => seen.push(payload) === 3 && resolve()))
    const client = new pg.Client(config)
    await client.connect()
    for (const payload of [1, 'two', { three: 3 }]) await client.query('select pg_notify($1, $2)', ['news', JSON.stringify(payload)])
    await all
    observe(seen)
    await client.end()
    await subscriber.close()
  }))
compat('reconnects when the server ends its connection', async ({ child }) =>
  child(async ({ pg, config, observe, require }) => {
    const createSubscriber = require('pg-listen').default ?? require('pg-listen')
    const subscriber = createSubscriber({ ...config, application_name: 'pg-listen' }, { retryInterval: 20, paranoidChecking: false })
    subscriber.events.on('reconnect', () => observe('reconnect'))
    await subscriber.connect()
    await subscriber.listenTo('news')
    const again = new Promise((resolve) => subscriber.events.on('connected', resolve))
    const heard = new Promise((resolve) => subscriber.notifications.on('news', resolve))
    const client = new pg.Client(config)
    await client.connect()
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pg-listen' and datname = current_database()`)
    await again
    for (;;) {
      await client.query(`notify news, '"again"'`)
      const got = await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 30))])
      if (got) {
        observe(got)
        break
      }
    }
    await client.end()
    await subscriber.close()
  }))
