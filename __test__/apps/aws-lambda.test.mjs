// AWS Lambda: examples/aws-lambda, bundled as its README says; the handler is driven through the Lambda runtime API.
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { createApp, run, serve, succeed, temporaryDirectory, versionOf } from './support/app.mjs'

const deployment = deploy({ sql: 'create table items (id serial primary key, name text not null); grant all on all tables in schema public to public; grant all on all sequences in schema public to public' })

const app = await createApp({ from: 'examples/aws-lambda' })

/** The runtime's side of Lambda: asks for the next invocation, calls the handler, posts the answer. */
const bootstrap = `const { Writable } = require('node:stream')
// What the runtime gives to functions that stream: their response is posted as it is written.
globalThis.awslambda = {
  streamifyResponse: (stream) => (event, post) => {
    let type
    const { readable, writable } = new TransformStream()
    const response = Object.assign(Writable.fromWeb(writable), { setContentType: (given) => (type = given) })
    const written = stream(event, response, {})
    return Promise.all([post(readable, type), written])
  },
}
const { handler } = require('./' + process.argv[2])
const streams = process.argv[2] === 'stream.js'
const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/'
async function main() {
  for (;;) {
    const next = await fetch(base + 'next')
    const id = next.headers.get('lambda-runtime-aws-request-id')
    try {
      const post = (body, type) => fetch(base + id + '/response', {
        method: 'POST', body, duplex: 'half', headers: { 'content-type': type ?? 'application/json', 'lambda-runtime-function-response-mode': streams ? 'streaming' : 'buffered' },
      })
      const event = await next.json()
      if (streams) await handler(event, post)
      else await post(JSON.stringify(await handler(event)))
    } catch (error) {
      await fetch(base + id + '/error', { method: 'POST', body: JSON.stringify({ errorMessage: String(error.stack) }) })
    }
  }
}
console.log('ready')
main()
`

/** The service's side: a queue of events, and the answers as they come. */
async function runtimeApi() {
  const events = []
  const waiting = []
  const answers = new Map()
  let count = 0
  const server = createServer(async (request, response) => {
    if (request.url.endsWith('/next')) {
      const deliver = ({ id, event }) => {
        response.setHeader('lambda-runtime-aws-request-id', id)
        response.end(JSON.stringify(event))
      }
      if (events.length > 0) deliver(events.shift())
      else waiting.push(deliver)
      return
    }
    let body = ''
    const [, id, outcome] = /invocation\/([^/]+)\/(response|error)$/.exec(request.url)
    for await (const chunk of request) body += chunk
    const streamed = request.headers['lambda-runtime-function-response-mode'] === 'streaming'
    answers.get(id)({ outcome, ...(streamed ? { body, type: request.headers['content-type'] } : JSON.parse(body)) })
    response.writeHead(202).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return {
    address: `127.0.0.1:${server.address().port}`,
    invoke(event) {
      const id = `request-${++count}`
      const answer = new Promise((resolve) => answers.set(id, resolve))
      const deliver = waiting.shift()
      if (deliver) deliver({ id, event })
      else events.push({ id, event })
      return answer
    },
  }
}

/** A deployed function: the bundles and the addon, nothing else. */
const deployed = temporaryDirectory('lambda')

/** Starts an instance of a function. */
function start(api, bundle = 'index.js') {
  const env = { ...deployment.emulator.env, AWS_LAMBDA_RUNTIME_API: api.address, AWS_LAMBDA_FUNCTION_NAME: 'items', NODE_PATH: '' }
  return serve(deployed, process.execPath, ['bootstrap.cjs', bundle], { env, ready: /ready/ })
}

const post = { requestContext: { http: { method: 'POST' } }, body: JSON.stringify({ name: 'lamp' }) }
const get = { requestContext: { http: { method: 'GET' } } }

/** The database cuts the sockets of all functions. */
const cut = () => deployment.emulator.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()')

test('the bundle with the addon beside it handles invocations, also after it was frozen', async (t) => {
  await succeed(run(app, 'npm', ['run', 'build']))
  cpSync(join(app, 'dist'), deployed, { recursive: true })
  writeFileSync(join(deployed, 'bootstrap.cjs'), bootstrap)
  const api = await runtimeApi()
  const instance = await start(api)

  assert.deepEqual(await api.invoke(post), { outcome: 'response', statusCode: 201, body: '{"id":1,"name":"lamp"}' })
  assert.equal((await api.invoke(get)).body, '[{"id":1,"name":"lamp"}]')

  // Lambda freezes an instance between invocations. Meanwhile the token expires and the server forgets the connection.
  process.kill(instance.process.pid, 'SIGSTOP')
  deployment.emulator.advanceClock(2 * 3_600_000)
  await cut()
  process.kill(instance.process.pid, 'SIGCONT')
  const thawed = await api.invoke(get)
  assert.deepEqual([thawed.outcome, thawed.body], ['response', '[{"id":1,"name":"lamp"}]'])
  t.diagnostic(`esbuild ${versionOf(app, 'esbuild')}`)
})

test('a function that streams its response sends rows as they are read, also after it was frozen', async () => {
  await deployment.emulator.query("insert into items (name) select 'item ' || n from generate_series(1, 20000) n")
  const api = await runtimeApi()
  const instance = await start(api, 'stream.js')
  const rows = async () => {
    const { outcome, type, body } = await api.invoke(get)
    assert.deepEqual([outcome, type], ['response', 'application/x-ndjson'])
    return body.trimEnd().split('\n').map((line) => JSON.parse(line))
  }
  const first = await rows()
  assert.deepEqual([first.length >= 20_000, Object.keys(first[0])], [true, ['id', 'name']])
  process.kill(instance.process.pid, 'SIGSTOP')
  deployment.emulator.advanceClock(2 * 3_600_000)
  await cut()
  process.kill(instance.process.pid, 'SIGCONT')
  assert.deepEqual(await rows(), first)
})

test('200 invocations in 20 instances stay within two connections and one credential for each', async () => {
  const api = await runtimeApi()
  await Promise.all(Array.from({ length: 20 }, () => start(api)))
  const answers = await Promise.all(Array.from({ length: 200 }, () => api.invoke(get)))
  assert.ok(answers.every(({ outcome, statusCode }) => outcome === 'response' && statusCode === 200))
  const [{ count }] = await deployment.emulator.query(`select count(*) from pg_stat_activity where usename = '${deployment.emulator.env.PGUSER}' and backend_type = 'client backend'`)
  assert.ok(Number(count) <= 40, `${count} connections`)
  assert.ok(deployment.calls.postgres <= 20 && deployment.calls.oauth <= 20, JSON.stringify(deployment.calls))
})
