// Many processes with many callers start at the same moment against an API that limits its rate: all succeed, with few calls each.
import assert from 'node:assert/strict'
import { start } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

/** Each takes about 60 MB; `PROCESSES` sets another number. */
const PROCESSES = Number(process.env.PROCESSES ?? 50)
const CALLERS = 100
const app = deploy()

test(`${PROCESSES} processes with ${CALLERS} callers each, each of which is first told to come back later`, { timeout: 600_000 }, async () => {
  const main = async (callers) => {
    const { getToken, getCredential } = await import('lakebase-native')
    process.send('ready')
    await new Promise((resolve) => process.once('message', resolve))
    // The limit lasts a second; the default bound on a fetch is ten.
    const tokens = await Promise.all(Array.from({ length: callers }, () => getToken()))
    process.send([new Set(tokens).size, (await getCredential()).expiresAt.getTime() > Date.now()])
    process.disconnect()
  }
  for (const path of ['/oidc/v1/token', '/api/2.0/postgres/credentials']) {
    app.emulator.faults.api({ kind: 'status', status: 429, retryAfterSeconds: 1, path, times: PROCESSES })
  }
  const children = range(PROCESSES).map(() => start(main, { args: [CALLERS] }))
  for (const child of children) assert.equal(await child.message(), 'ready')
  const answers = children.map((child) => child.message())
  for (const child of children) child.process.send('go')
  for (const answer of await Promise.all(answers)) assert.deepEqual(answer, [1, true])
  for (const child of children) assert.equal((await child.ended).code, 0)
  const { oauth, postgres } = app.calls
  assert.equal(oauth, 2 * PROCESSES, 'one that was refused and one that was not, for each process')
  assert.equal(postgres, 2 * PROCESSES)
})
