// A package registry on this machine: it takes what `npm publish` sends, and passes on what it does not have from the registry that npm is set
// to. So packages that were never published are installed as users will install them, by name.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'
import { temporaryDirectory } from './installation.mjs'

const execute = promisify(execFile)
const { stdout: configured } = await execute('npm', ['config', 'get', 'registry'], { shell: process.platform === 'win32' })
const upstream = configured.trim().replace(/\/$/, '')

/** Starts it, for the file's tests. */
export async function startRegistry() {
  /** Packuments by name, and tarballs by path. */
  const packages = new Map()
  const tarballs = new Map()
  const registry = { url: '', /** `name@version` in the order of publication. */ published: [], environment }

  const server = createServer((request, response) => {
    void answer(request).then(
      ({ status = 200, type = 'application/json', body }) => response.writeHead(status, { 'content-type': type }).end(body),
      (error) => response.writeHead(502).end(String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close().closeAllConnections())
  registry.url = `http://127.0.0.1:${server.address().port}`

  async function answer(request) {
    const path = new URL(request.url, registry.url).pathname
    const name = decodeURIComponent(path.slice(1))
    if (request.method === 'PUT') return publish(JSON.parse(await bodyOf(request)))
    if (tarballs.has(path)) return { type: 'application/octet-stream', body: tarballs.get(path) }
    if (packages.has(name)) return { body: JSON.stringify(packages.get(name)) }
    // Ours are nowhere else, whoever may publish something of these names one day.
    if (name.startsWith('lakebase-native')) return { status: 404, body: '{"error":"not found"}' }
    const { accept } = request.headers
    const passed = await fetch(upstream + request.url, { headers: accept ? { accept } : {} })
    const type = passed.headers.get('content-type') ?? ''
    const body = Buffer.from(await passed.arrayBuffer())
    return { status: passed.status, type, body: type.includes('json') ? body.toString().replaceAll(upstream, registry.url) : body }
  }

  function publish({ name, versions, 'dist-tags': tags, _attachments: attachments }) {
    for (const [file, { data }] of Object.entries(attachments)) tarballs.set(`/${name}/-/${basename(file)}`, Buffer.from(data, 'base64'))
    for (const [version, manifest] of Object.entries(versions)) {
      manifest.dist.tarball = `${registry.url}/${name}/-/${name}-${version}.tgz`
      registry.published.push(`${name}@${version}`)
    }
    const before = packages.get(name)
    // Long ago: some package managers do not install what is younger than some days.
    const time = '2020-01-01T00:00:00.000Z'
    const times = Object.fromEntries(Object.keys(versions).map((version) => [version, time]))
    packages.set(name, {
      ...{ name, 'dist-tags': { ...before?.['dist-tags'], ...tags }, versions: { ...before?.versions, ...versions } },
      time: { created: time, modified: time, ...before?.time, ...times },
    })
    return { status: 201, body: '{}' }
  }

  /** Variables that have package managers use it, logged in, with a cache of their own. */
  function environment() {
    const directory = temporaryDirectory()
    const userconfig = join(directory, 'npmrc')
    writeFileSync(userconfig, `registry=${registry.url}/\n//${new URL(registry.url).host}/:_authToken=token\n`)
    const npm = { npm_config_userconfig: userconfig, npm_config_registry: `${registry.url}/`, npm_config_cache: join(directory, 'cache') }
    return { ...process.env, NODE_TEST_CONTEXT: undefined, GITHUB_ACTIONS: undefined, ...npm, npm_config_update_notifier: 'false', NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' }
  }

  return registry
}

async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
