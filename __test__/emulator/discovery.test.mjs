import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { bearer, call } from './clients.mjs'

let emulator
let headers
before(async () => {
  emulator = await startEmulator({ projects: ['shop', 'blog', 'lab'], instances: ['main', 'spare'], userName: 'grace@example.com' })
  headers = bearer(emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN)
})
after(() => emulator.stop())

const get = (path) => call(emulator, 'GET', `/api/2.0/${path}`, { headers })

test('from the projects down, the endpoint, host, database and role of env can be found', async () => {
  const { projects } = (await get('postgres/projects')).body
  assert.deepEqual(projects.map(({ name }) => name), ['projects/shop', 'projects/blog', 'projects/lab'])
  const branch = projects[0].status.default_branch
  const { branches } = (await get(`postgres/${projects[0].name}/branches`)).body
  assert.deepEqual(branches.filter(({ status }) => status.default).map(({ name }) => name), [branch])
  const { endpoints } = (await get(`postgres/${branch}/endpoints`)).body
  const [endpoint] = endpoints.filter(({ status }) => status.endpoint_type === 'ENDPOINT_TYPE_READ_WRITE')
  assert.equal(endpoint.name, emulator.env.LAKEBASE_ENDPOINT)
  assert.equal(endpoint.status.hosts.host, emulator.env.PGHOST)
  const { databases } = (await get(`postgres/${branch}/databases`)).body
  assert.ok(databases.some(({ status }) => status.postgres_database === emulator.env.PGDATABASE))
  const { roles } = (await get(`postgres/${branch}/roles`)).body
  assert.deepEqual(roles.map(({ spec }) => [spec.postgres_role, spec.identity_type]), [
    [emulator.env.PGUSER, 'SERVICE_PRINCIPAL'],
    ['grace@example.com', 'USER'],
  ])
})

test('everything listed can be read by its name', async () => {
  const { body } = await get(`postgres/${emulator.endpoint}`)
  assert.equal(body.name, emulator.endpoint)
  assert.equal((await get('postgres/projects/blog')).body.status.display_name, 'blog')
  assert.equal((await get('postgres/projects/nowhere')).status, 404)
  assert.equal((await get('postgres/projects/nowhere/branches')).status, 404)
})

test('lists come in pages', async () => {
  const names = []
  let token = ''
  do {
    const { body } = await get(`postgres/projects?page_size=2&page_token=${token}`)
    names.push(body.projects.map(({ name }) => name))
    token = body.next_page_token
  } while (token)
  assert.deepEqual(names, [['projects/shop', 'projects/blog'], ['projects/lab']])
  assert.equal((await get('postgres/projects?page_size=0')).status, 400)
  assert.equal((await get('postgres/projects?page_token=%21')).status, 200)
  assert.equal((await get('postgres/projects?page_token=bm8')).status, 400)
})

test('Provisioned instances tell their host', async () => {
  const { database_instances: instances } = (await get('database/instances')).body
  assert.deepEqual(instances.map(({ name }) => name), ['main', 'spare'])
  const { body } = await get(`database/instances/${emulator.envFor({ tier: 'provisioned' }).LAKEBASE_INSTANCE_NAME}`)
  assert.equal(body.read_write_dns, emulator.env.PGHOST)
  assert.equal(body.effective_stopped, false)
  assert.equal((await get('database/instances/nowhere')).status, 404)
})

test('SCIM tells who the caller is, and the workspace id in a header', async () => {
  const { body, headers: received } = await get('preview/scim/v2/Me')
  assert.equal(body.userName, 'grace@example.com')
  assert.match(received['x-databricks-org-id'], /^\d+$/)
})
