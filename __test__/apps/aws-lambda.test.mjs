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
const bootstrap = `const { handler } = require('./index.js')
const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/'
async function main() {
  for (;;) {
    const next = await fetch(base + 'next')
    const id = next.headers.get('lambda-runtime-aws-request-id')
    try {
      await fetch(base + id + '/response', { method: 'POST', body: JSON.stringify(await handler(await next.json())) })
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
    for await (const chunk of request) body += chunk
    const [, id, outcome] = /invocation\/([^/]+)\/(response|error)$/.exec(request.url)
    answers.get(id)({ outcome, ...JSON.parse(body) })
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

test('the bundle with the addon beside it handles invocations, also after it was frozen', async (t) => {
  await succeed(run(app, 'npm', ['run', 'build']))
  const deployed = temporaryDirectory('lambda')
  cpSync(join(app, 'dist'), deployed, { recursive: true })
  writeFileSync(join(deployed, 'bootstrap.cjs'), bootstrap)
  const api = await runtimeApi()
  const env = { ...deployment.emulator.env, AWS_LAMBDA_RUNTIME_API: api.address, NODE_PATH: '' }
  const instance = await serve(deployed, process.execPath, ['bootstrap.cjs'], { env, ready: /ready/ })

  const post = { requestContext: { http: { method: 'POST' } }, body: JSON.stringify({ name: 'lamp' }) }
  const get = { requestContext: { http: { method: 'GET' } } }
  assert.deepEqual(await api.invoke(post), { outcome: 'response', statusCode: 201, body: '{"id":1,"name":"lamp"}' })
  assert.equal((await api.invoke(get)).body, '[{"id":1,"name":"lamp"}]')

  // Lambda freezes an instance between invocations. Meanwhile the token expires and the server forgets the connection.
  process.kill(instance.process.pid, 'SIGSTOP')
  deployment.emulator.advanceClock(2 * 3_600_000)
  await deployment.emulator.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()')
  process.kill(instance.process.pid, 'SIGCONT')
  const thawed = await api.invoke(get)
  assert.deepEqual([thawed.outcome, thawed.body], ['response', '[{"id":1,"name":"lamp"}]'])
  t.diagnostic(`esbuild ${versionOf(app, 'esbuild')}`)
})
