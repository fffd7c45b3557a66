// connect-pg-simple, express-session's store, as it is installed, on the package `pg`.
import { endConnections, onBothPackages } from '../support/both-packages.mjs'

const same = await onBothPackages('connect-pg-simple', 'express-session')

const open = ({ require, config }, options = {}) => {
  const Store = require('connect-pg-simple')(require('express-session'))
  const errors = []
  const store = new Store({ conObject: config, createTableIfMissing: true, pruneSessionInterval: false, errorLog: (...line) => errors.push(line[0]), ...options })
  const call = (method, ...args) => new Promise((resolve) => store[method](...args, (error, value) => resolve(error ? { error: error.code ?? error.message } : { value })))
  return { store, call, errors }
}
const session = (name) => ({ cookie: { maxAge: 60_000 }, name })

same('a session is set, got, touched and destroyed', async (side) => {
  const { store, call, errors } = open(side)
  const seen = [
    await call('get', 'nobody'),
    await call('set', 'a', session('Ada')),
    await call('set', 'a', session('Ada Lovelace')),
    await call('get', 'a'),
    await call('touch', 'a', session('Ada')),
    await call('destroy', 'a'),
    await call('get', 'a'),
  ]
  await store.close()
  const { rows } = await side.admin.query('select count(*)::int as left from session')
  return { seen, rows, errors }
})

same('sessions that are over are pruned', async (side) => {
  const { store, call } = open(side)
  await call('set', 'old', session('Ada'))
  await call('set', 'new', session('Grace'))
  await side.admin.query(`update session set expire = now() - interval '1 day' where sid = 'old'`)
  const pruned = await new Promise((resolve) => store.pruneSessions((error) => resolve(error ?? 'pruned')))
  const { rows } = await side.admin.query('select sid from session')
  await store.close()
  return { pruned, rows }
})

same('on a pool of the app’s own, whose connections the server ends', async (side) => {
  const { Pool } = side.require('pg')
  const pool = new Pool({ ...side.config, max: 1 })
  const errors = []
  pool.on('error', (error) => errors.push(error.code))
  const { store, call } = open(side, { pool, conObject: undefined })
  const before = await call('set', 'a', session('Ada'))
  const removed = new Promise((resolve) => pool.once('remove', resolve))
  await endConnections(side.admin)
  await removed
  const after = await call('get', 'a')
  await store.close()
  await pool.end()
  return { before, after, errors }
})
