// @opentelemetry/instrumentation-pg, unmodified: it patches the module `pg` that an app has put in the place of node-postgres'.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { pgPackage } from '../support/pg-package.mjs'
import { test } from '../support/test.mjs'

deploy()

/** What instrumented code leaves behind: spans in the order in which they ended, each with its parent. */
async function trace(pgPath, body) {
  const { createRequire } = await import('node:module')
  const { readFileSync } = await import('node:fs')
  const require = createRequire(`${process.cwd()}/app.js`)
  const api = require('@opentelemetry/api')
  const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')
  const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
  const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg')
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const instrumentation = new PgInstrumentation({ enhancedDatabaseReporting: true, addSqlCommenterCommentToQueries: false })
  instrumentation.setTracerProvider(provider)
  instrumentation.enable()
  const pg = createRequire(pgPath)('pg')
  const { getToken, createLakebasePool } = require('lakebase-native')
  const { env } = process
  const address = { host: env.PGHOST, port: Number(env.PGPORT), user: env.PGUSER, database: env.PGDATABASE }
  const config = { ...address, password: getToken, ssl: { ca: readFileSync(env.NODE_EXTRA_CA_CERTS, 'utf8') } }
  const tracer = provider.getTracer('app')
  const within = (name, work) => tracer.startActiveSpan(name, async (span) => {
    try {
      return await work()
    } finally {
      span.end()
    }
  })
  await new Function('use', `return (${body})(use)`)({ pg, config, within, createLakebasePool, address })
  const spans = exporter.getFinishedSpans()
  const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
  const shown = spans.map(({ name, kind, attributes, status, events, parentSpanContext }) => ({
    name,
    kind,
    parent: names.get(parentSpanContext?.spanId),
    attributes,
    status,
    events: events.map(({ name, attributes }) => ({ name, attributes: { ...attributes, 'exception.stacktrace': undefined } })),
  }))
  process.stdout.write(JSON.stringify(shown))
}

const theirs = createRequire(import.meta.url).resolve('pg/package.json')
const ours = pgPackage().resolve('pg')

async function spansOf(pg, body) {
  const { code, stdout, stderr } = await run(trace, { args: [pg, String(body)] })
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

/** Runs `body` on node-postgres and on ours; they must leave the same spans, which are returned. */
async function same(body) {
  const [expected, actual] = [await spansOf(theirs, body), await spansOf(ours, body)]
  assert.deepEqual(actual, expected)
  return actual
}

const statements = (spans) => spans.map(({ attributes }) => attributes['db.statement'] ?? attributes['db.query.text']).filter(Boolean)

test('pool.query(): a span for the pool, the connection and the statement', async () => {
  const spans = await same(async ({ pg, config, within }) => {
    const pool = new pg.Pool(config)
    await within('request', () => pool.query('select $1::int as a', [1]))
    await within('second', () => pool.query({ name: 'named', text: 'select 2' }))
    await new Promise((resolve, reject) => pool.query('select 3', (error) => (error ? reject(error) : resolve())))
    await pool.end()
  })
  assert.deepEqual(statements(spans), ['select $1::int as a', 'select 2', 'select 3'])
  assert.deepEqual(new Set(spans.map(({ parent }) => parent)), new Set(['pg-pool.connect', 'request', 'second', undefined]))
})

test('pool.connect() and client.query()', async () => {
  const spans = await same(async ({ pg, config, within }) => {
    const pool = new pg.Pool(config)
    await within('request', async () => {
      const client = await pool.connect()
      await client.query('begin')
      await client.query('select 1 as a')
      await client.query('commit')
      client.release()
    })
    await pool.end()
  })
  assert.deepEqual(statements(spans), ['begin', 'select 1 as a', 'commit'])
})

test('a client of its own', async () => {
  const spans = await same(async ({ pg, config, within }) => {
    const client = new pg.Client(config)
    await within('request', async () => {
      await client.connect()
      await client.query('select 1')
      await client.query({ text: 'select $1', values: ['x'] })
    })
    await client.end()
  })
  assert.ok(spans.some(({ name }) => name === 'pg.connect'))
})

test('errors are recorded on the span', async () => {
  const spans = await same(async ({ pg, config, within }) => {
    const pool = new pg.Pool(config)
    pool.on('error', () => {})
    await within('request', async () => {
      await pool.query('selec 1').catch(() => {})
      await pool.query('select 1 / $1::int', [0]).catch(() => {})
      const client = await pool.connect()
      await new Promise((resolve) => client.query('select x', resolve))
      client.release()
    })
    await pool.end()
  })
  assert.equal(spans.filter(({ status }) => status.code === 2).length, 3)
  assert.ok(spans.some(({ events }) => events.some(({ name }) => name === 'exception')))
})

test('a connection that cannot be made is an error of its span', () =>
  same(async ({ pg, config, within }) => {
    const pool = new pg.Pool({ ...config, port: 1, host: '127.0.0.1' })
    await within('request', () => pool.query('select 1').catch(() => {}))
    await pool.end()
  }))

test('a pool of createLakebasePool() is traced like any other', async () => {
  const spans = await spansOf(ours, async ({ createLakebasePool, within }) => {
    const pool = createLakebasePool()
    await within('request', async () => {
      await pool.query('select 1')
      await pool.query('selec').catch(() => {})
      const client = await pool.connect()
      await client.query('select 2')
      client.release()
    })
    await pool.end()
  })
  assert.deepEqual(statements(spans), ['select 1', 'selec', 'select 2'])
  assert.ok(spans.some(({ name }) => name === 'pg.connect') && spans.some(({ name }) => name === 'pg-pool.connect'))
  assert.equal(spans.filter(({ status }) => status.code === 2).length, 1)
  assert.ok(!JSON.stringify(spans).includes('password'))
})
