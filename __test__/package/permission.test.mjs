// Node.js' permission model: what a process must be allowed, and what it is told otherwise.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { install, run } from './installation.mjs'

const app = await install()
const allowed = process.allowedNodeEnvironmentFlags
const model = [allowed.has('--permission') ? '--permission' : '--experimental-permission', `--allow-fs-read=${join(app, '/')}*`]
const program = join(app, 'app.cjs')
writeFileSync(program, "const { Pool } = require('lakebase-native/pg'); const pool = new Pool({ host: 'localhost' }); pool.end().then(() => console.log('ended'))\n")

test('with addons allowed, and its own files to be read, it loads', async () => {
  assert.equal(await run(app, ['--no-warnings', ...model, '--allow-addons', program]), 'ended')
})

test('without, the error says what forbids it', async () => {
  const { stderr } = await run(app, ['--no-warnings', ...model, program]).then(
    () => assert.fail('it loaded'),
    (error) => error,
  )
  assert.match(stderr, /lakebase-native-[a-z0-9-]+: Cannot load native addon because loading addons is disabled/)
})
