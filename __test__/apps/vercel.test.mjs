// Vercel: examples/vercel-functions, built by the real `vercel build`. The function's own folder, copied elsewhere, answers requests.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { start } from '../support/child.mjs'
import { createApp, npx, succeed, temporaryDirectory, versionOf } from './support/app.mjs'

const deployment = deploy({ sql: 'create table items (id serial primary key, name text not null); grant all on all tables in schema public to public; grant all on all sequences in schema public to public' })

const app = await createApp({ from: 'examples/vercel-functions', devDependencies: { vercel: '~50.44.0' } })
// What `vercel link` writes.
mkdirSync(join(app, '.vercel'))
writeFileSync(join(app, '.vercel', 'project.json'), JSON.stringify({ projectId: 'prj_x', orgId: 'team_x', settings: { framework: null, nodeVersion: '22.x' } }))
await succeed(npx(app, 'vercel', ['build', '--yes'], { env: { VERCEL_TELEMETRY_DISABLED: '1' } }))

/** Runs a function from its folder alone, as Vercel does, on requests given as [method, path, body]. */
async function invoke(name, requests) {
  const elsewhere = temporaryDirectory('vercel')
  cpSync(join(app, '.vercel', 'output', 'functions', 'api', `${name}.func`), elsewhere, { recursive: true })
  assert.ok(readdirSync(join(elsewhere, 'node_modules')).some((entry) => /^lakebase-native-(linux|darwin|win32)/.test(entry)), 'the platform package is deployed')
  const child = start(
    async (folder, module, given) => {
      const handlers = await import(`${folder}/api/${module}.js`)
      const { pool } = await import(`${folder}/lib/pool.js`)
      const answers = []
      for (const [method, path, body] of given) {
        const init = body ? { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : { method }
        const response = await handlers[method](new Request(`https://app.example${path}`, init))
        answers.push([response.status, await response.json()])
      }
      const openDuring = pool.totalCount
      // What attachDatabasePool() has asked the platform to wait for: until then the idle connection must be closed.
      await Promise.all(globalThis.waitedFor)
      process.send({ answers, waits: globalThis.waitedFor.length, openDuring, openAfter: pool.totalCount })
      await pool.end()
      process.disconnect()
    },
    {
      args: [elsewhere, name, requests],
      env: { ...deployment.emulator.env, VERCEL_URL: 'app.example', VERCEL_REGION: 'iad1' },
      // The request's context, as Vercel's runtime gives it.
      execArgv: ['--import', `data:text/javascript,${encodeURIComponent("globalThis.waitedFor = []; globalThis[Symbol.for('@vercel/request-context')] = { get: () => ({ waitUntil: (promise) => globalThis.waitedFor.push(promise) }) }")}`],
    },
  )
  const message = await child.message()
  await child.ended
  return message
}

test('a plain function answers from its own folder, with its pool attached to the platform', async (t) => {
  const { answers, waits, openDuring, openAfter } = await invoke('items', [['POST', '/api/items', { name: 'lamp' }], ['GET', '/api/items']])
  assert.deepEqual(answers, [[201, { id: 1, name: 'lamp' }], [200, [{ id: 1, name: 'lamp' }]]])
  assert.equal(waits, 2, 'every query keeps the instance awake until its connection has been idle for idleTimeoutMillis')
  assert.deepEqual({ openDuring, openAfter }, { openDuring: 1, openAfter: 0 })
  t.diagnostic(`vercel ${versionOf(app, 'vercel')}, @vercel/functions ${versionOf(app, '@vercel/functions')}`)
})

test('a function with Hono answers from its own folder', async (t) => {
  const { answers } = await invoke('hono', [['POST', '/api/hono/items', { name: 'chair' }], ['GET', '/api/hono/items']])
  assert.deepEqual(answers, [[201, { id: 2, name: 'chair' }], [200, [{ id: 1, name: 'lamp' }, { id: 2, name: 'chair' }]]])
  t.diagnostic(`hono ${versionOf(app, 'hono')}`)
})
