// Events of `client.connection` that programs use: what the server reports at login.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('parameterStatus and backendKeyData come before connect', async (context) => {
  const client = context.newClient({ application_name: 'reported' })
  context.watch(client.connection, 'connection', ['parameterStatus'])
  client.connection.on('backendKeyData', (message) => context.note('key', message.name, message.length, typeof message.processID, typeof message.secretKey))
  await new Promise((resolve) => client.connect((error) => resolve(context.note('connected', error))))
})
compat('a connect() of Client.prototype that listens, as pg-promise puts it there', async ({ pg, pool, note }) => {
  const { connect } = pg.Client.prototype
  pg.Client.prototype.connect = function (...args) {
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName === 'server_version') this.serverVersion = parameterValue
    })
    return connect.apply(this, args)
  }
  try {
    const opened = pool({ max: 1 })
    const client = await opened.connect()
    note('connect()', client.serverVersion)
    client.release(true)
    opened.on('acquire', (acquired) => note('query()', acquired.serverVersion))
    await opened.query('select 1')
    opened.removeAllListeners('acquire')
  } finally {
    pg.Client.prototype.connect = connect
  }
})
compat('a connect() of Client.prototype is called for every connection of a pool', async ({ pg, pool, note }) => {
  const { connect } = pg.Client.prototype
  pg.Client.prototype.connect = function (...args) {
    note('connecting')
    return connect.apply(this, args)
  }
  try {
    const opened = pool({ max: 3 })
    await Promise.all([1, 2, 3, 4].map((n) => opened.query('select $1::int as n', [n])))
  } finally {
    pg.Client.prototype.connect = connect
  }
})
