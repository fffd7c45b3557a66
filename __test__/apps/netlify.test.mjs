// Netlify: examples/netlify-function, packed by Netlify's own @netlify/zip-it-and-ship-it with both of its bundlers. The zip, unpacked elsewhere,
// answers requests through the entry file that Netlify's Lambda calls.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { start } from '../support/child.mjs'
import { createApp, run, succeed, temporaryDirectory, versionOf } from './support/app.mjs'

const deployment = deploy({ sql: 'create table items (id serial primary key, name text not null); grant all on all tables in schema public to public; grant all on all sequences in schema public to public' })

const app = await createApp({
  from: 'examples/netlify-function',
  devDependencies: { '@netlify/zip-it-and-ship-it': '^16.2.0', 'adm-zip': '^0.5.16' },
  files: {
    'unzip.cjs': "const [, , zip, to] = process.argv; new (require('adm-zip'))(zip).extractAllTo(to)",
    'zip.mjs': `import { resolve } from 'node:path'
import { zipFunctions } from '@netlify/zip-it-and-ship-it'
const [bundler] = process.argv.slice(2)
const config = { '*': { nodeBundler: bundler, nodeVersion: '22', ...(bundler === 'esbuild' ? { externalNodeModules: ['lakebase-native'] } : {}) } }
const [{ path }] = await zipFunctions('netlify/functions', 'zips-' + bundler, { config })
console.log('zip: ' + resolve(path))
`,
  },
})

for (const [i, bundler] of ['esbuild', 'nft'].entries()) {
  test(`the zip of the ${bundler} bundler answers requests`, async (t) => {
    const printed = await succeed(run(app, process.execPath, ['zip.mjs', bundler]))
    const unpacked = temporaryDirectory('netlify')
    const zip = /zip: (.+)/.exec(printed)[1]
    await succeed(run(app, process.execPath, ['unzip.cjs', zip, unpacked]))
    const child = start(
      async (folder, name) => {
        const { readdirSync, existsSync } = await import('node:fs')
        const entry = ['items.mjs', 'items.js', '___netlify-entry-point.mjs'].find((file) => existsSync(`${folder}/${file}`))
        const all = readdirSync(folder, { recursive: true })
        const source = all.find((file) => /netlify.functions.items\.m?js$/.test(file)) ?? entry
        const loaded = await import(`${folder}/${source}`)
        const items = typeof loaded.default === 'function' ? loaded.default : loaded.default.default
        const answers = []
        for (const init of [{ method: 'POST', body: JSON.stringify({ name }) }, { method: 'GET' }]) {
          const response = await items(new Request('https://site.example/.netlify/functions/items', init))
          answers.push([response.status, await response.json()])
        }
        process.send({ answers, entry, addons: all.filter((file) => file.endsWith('.node')).length })
        // One more request, when the instance was frozen meanwhile.
        process.once('message', async () => {
          const response = await items(new Request('https://site.example/.netlify/functions/items'))
          process.send([response.status, await response.json()])
          process.exit()
        })
      },
      { args: [unpacked, bundler], env: deployment.emulator.env },
    )
    const { answers, entry, addons } = await child.message()
    assert.ok(entry, 'the zip has the entry that Netlify calls')
    assert.equal(addons, 1)
    assert.deepEqual(answers[0], [201, { id: i + 1, name: bundler }])
    assert.deepEqual(answers[1][1].at(-1), { id: i + 1, name: bundler })

    process.kill(child.process.pid, 'SIGSTOP')
    deployment.emulator.advanceClock(2 * 3_600_000)
    await deployment.emulator.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()')
    process.kill(child.process.pid, 'SIGCONT')
    const thawed = child.message()
    child.process.send('again')
    assert.deepEqual(await thawed, answers[1])
    t.diagnostic(`@netlify/zip-it-and-ship-it ${versionOf(app, '@netlify/zip-it-and-ship-it')} (${bundler})`)
  })
}
