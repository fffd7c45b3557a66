// How the workspace's API is reached: TLS that is always verified, authorities, proxies.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { ConfigurationError, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

// Its certificate is for this name and for localhost, where it really is.
const workspace = 'workspace.test'
const app = deploy({ hostname: workspace })

/** The environment of a deployment beside the emulator. */
const local = (variables) => app.environment({ DATABRICKS_HOST: `https://localhost:${app.emulator.ports.api}`, PGHOST: 'localhost', ...variables })

test('a certificate that nobody vouches for is refused, in every TLS mode of the database', async () => {
  // The workspace is to be heard first: without TLS the database refuses the login, too.
  app.emulator.setLatency(1_000, 'database')
  for (const PGSSLMODE of ['require', 'prefer', 'no-verify', 'disable']) {
    local({ NODE_EXTRA_CA_CERTS: undefined, PGSSLMODE })
    const error = await failureOf(app.pool().query('select 1'))
    assert.equal(error.name, 'ConnectionError')
    assert.equal(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    assert.match(error.hint, /NODE_EXTRA_CA_CERTS/)
  }
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 }, 'no secret was sent')
})

test('NODE_TLS_REJECT_UNAUTHORIZED does not turn verification off', async () => {
  local({ NODE_EXTRA_CA_CERTS: undefined })
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  try {
    assert.equal((await failureOf(getToken())).code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  }
})

for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']) {
  test(`${variable} names trusted authorities`, async () => {
    local({ NODE_EXTRA_CA_CERTS: undefined, [variable]: app.emulator.caFile })
    assert.ok(await getToken())
  })
}

test('the scheme may be left out, a path or a query is dropped', async () => {
  const host = `localhost:${app.emulator.ports.api}`
  for (const DATABRICKS_HOST of [host, `https://${host}/`, `https://${host}/browse?o=1234`]) {
    local({ DATABRICKS_HOST })
    assert.ok(await getToken())
  }
})

test('http is refused except on loopback', async () => {
  local({ DATABRICKS_HOST: 'http://workspace.example.com' })
  const error = await failureOf(getToken())
  assert.ok(error instanceof ConfigurationError)
  assert.match(error.message, /https/)
})

/** An HTTP proxy that finds every name on this machine, and notes what it was asked for and with which login. */
async function proxy() {
  const asked = []
  const sockets = []
  const server = createServer()
  server.on('connect', (request, client) => {
    asked.push([request.url, request.headers['proxy-authorization']])
    const there = connect(app.emulator.ports.api, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      there.pipe(client).pipe(there)
    })
    sockets.push(there, client)
    for (const socket of [there, client]) socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { asked, url: (login = '') => `http://${login}127.0.0.1:${port}`, close }
}

/** The same for a name that only the proxy finds: this machine itself is never behind one. */
const beyondProxy = (variables) => local({ DATABRICKS_HOST: `https://${workspace}:${app.emulator.ports.api}`, ...variables })

for (const variable of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
  test(`${variable} is honoured`, async () => {
    const { asked, url, close } = await proxy()
    beyondProxy({ [variable]: url() })
    assert.ok(await getToken())
    assert.deepEqual(asked, [[`${workspace}:${app.emulator.ports.api}`, undefined]])
    close()
  })
}

test("a proxy's login is sent to it", async () => {
  const { asked, url, close } = await proxy()
  beyondProxy({ HTTPS_PROXY: url('user:p%40ss@') })
  assert.ok(await getToken())
  assert.equal(asked[0][1], `Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  close()
})

for (const NO_PROXY of [workspace, '.example.com,.test', '*']) {
  test(`NO_PROXY=${NO_PROXY} leads past the proxy`, async () => {
    const { asked, url, close } = await proxy()
    beyondProxy({ HTTPS_PROXY: url(), NO_PROXY })
    assert.equal((await failureOf(getToken())).name, 'ConnectionError')
    assert.deepEqual(asked, [])
    close()
  })
}

test('loopback is reached directly', async () => {
  const { asked, url, close } = await proxy()
  local({ HTTPS_PROXY: url() })
  assert.ok(await getToken())
  assert.deepEqual(asked, [])
  close()
})

test('a proxy that is not there is an error that names the variable', async () => {
  const { url, close } = await proxy()
  const nobody = url()
  close()
  beyondProxy({ HTTPS_PROXY: nobody })
  const error = await failureOf(app.pool({ connectionTimeoutMillis: 1000 }).query('select 1'))
  assert.equal(error.name, 'ConnectionError')
  assert.equal(error.code, 'EPROXY')
  assert.match(error.hint, /HTTPS_PROXY/)
})
