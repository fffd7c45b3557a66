// Next.js: examples/next-app, used in Chromium: built for production and run from a copy of its standalone output, then in development.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { createApp, npx, run, serve, succeed, temporaryDirectory, versionOf } from './support/app.mjs'
import { launchBrowser } from './support/browser.mjs'

const HOUR = 3_600_000

// A loaded machine compiles a page in tens of seconds.
const PATIENCE = 180_000

const deployment = deploy()
const app = await createApp({ from: 'examples/next-app', devDependencies: { 'playwright-core': '^1.65.0' } })
const browser = await launchBrowser(app)

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Starts the app; resolves with its address and the server. */
async function startApp(directory, args) {
  const port = await freePort()
  const env = { ...deployment.emulator.env, PORT: String(port), HOSTNAME: 'localhost' }
  const server = await serve(directory, process.execPath, args, { env, ready: /Ready in/ })
  // By this name: Next.js refuses hot reloads to pages under any other.
  return { address: `http://localhost:${port}`, server }
}

async function openPage(address) {
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE)
  page.problems = []
  page.on('pageerror', (error) => page.problems.push(error))
  await page.goto(address)
  return page
}

async function add(page, name, quantity) {
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Quantity', { exact: true }).fill(quantity)
  await page.getByRole('button', { name: 'Add item' }).click()
}

const row = (page, name) => page.getByRole('listitem').filter({ hasText: name })

test('the migration script makes the table', async () => {
  await succeed(run(app, process.execPath, ['scripts/migrate.mjs'], { env: deployment.emulator.env }))
  assert.deepEqual(await deployment.emulator.query('select * from items'), [])
})

test('the standalone output of a production build serves the app from elsewhere, through expired tokens and a restart of the database', async (t) => {
  // Without the variables of a database: a build needs none.
  await succeed(npx(app, 'next', ['build'], { env: { BUILD_STANDALONE: '1' } }))
  const elsewhere = temporaryDirectory('standalone')
  cpSync(join(app, '.next', 'standalone'), elsewhere, { recursive: true })
  cpSync(join(app, '.next', 'static'), join(elsewhere, '.next', 'static'), { recursive: true })
  const { address, server } = await startApp(elsewhere, ['server.js'])
  const page = await openPage(address)
  await page.getByText('Nothing in stock yet').waitFor()

  await add(page, '', '1.5')
  await page.getByText('Enter a name.').waitFor()
  await page.getByText('Enter a whole number, 0 or more.').waitFor()
  assert.equal(await page.getByLabel('Quantity', { exact: true }).inputValue(), '1.5', 'what was typed stays')

  await add(page, 'Desk lamp', '12')
  await row(page, 'Desk lamp').getByText('12 in stock').waitFor()
  await page.getByRole('button', { name: 'Edit Desk lamp' }).click()
  const form = page.getByRole('form', { name: 'Edit Desk lamp' })
  await form.getByLabel('Quantity').fill('11')
  await form.getByRole('button', { name: 'Save' }).click()
  await row(page, 'Desk lamp').getByText('11 in stock').waitFor()
  await page.reload()
  await row(page, 'Desk lamp').getByText('11 in stock').waitFor()
  assert.deepEqual(await deployment.emulator.query('select name, quantity from items'), [{ name: 'Desk lamp', quantity: '11' }])

  // Every token has expired, and the database ends all sessions: the next request logs in with a new token.
  const { oauth, postgres } = deployment.calls
  deployment.emulator.advanceClock(2 * HOUR)
  deployment.emulator.revokeTokens()
  await deployment.emulator.suspend()
  await page.reload()
  await row(page, 'Desk lamp').getByText('11 in stock').waitFor()
  assert.ok(deployment.calls.postgres > postgres, `a new credential was fetched (before: ${oauth} OAuth calls, ${postgres} credentials)`)
  await add(page, 'Office chair', '3')
  await row(page, 'Office chair').getByText('3 in stock').waitFor()

  for (let number = 1; number <= 8; number++) {
    const response = await fetch(`${address}/api/items`, { method: 'POST', body: JSON.stringify({ name: `Box ${number}`, quantity: number }) })
    assert.equal(response.status, 201)
  }
  const invalid = await fetch(`${address}/api/items`, { method: 'POST', body: '{"quantity":-1}' })
  assert.deepEqual([invalid.status, await invalid.json()], [400, { errors: { name: 'Enter a name.', quantity: 'Enter a whole number, 0 or more.' } }])
  const second = await (await fetch(`${address}/api/items?page=2`)).json()
  assert.deepEqual([second.items.map(({ name }) => name), second.total, second.page, second.pages], [['Office chair', 'Desk lamp'], 10, 2, 2])

  await page.reload()
  await page.getByRole('link', { name: 'Next' }).click()
  await page.getByText('Page 2 of 2').waitFor()
  await page.getByRole('button', { name: 'Delete Desk lamp' }).click()
  await row(page, 'Desk lamp').waitFor({ state: 'detached' })
  await page.getByText('9 items').first().waitFor()
  assert.deepEqual(await deployment.emulator.query("select * from items where name = 'Desk lamp'"), [])

  // The page and the route handler are bundled apart; together they open at most the pool's `max`.
  await Promise.all(Array.from({ length: 20 }, (_, index) => fetch(index % 2 ? `${address}/api/items` : address).then((response) => response.text())))
  assert.ok(deployment.emulator.counts.connections.database.open <= 5, `${deployment.emulator.counts.connections.database.open} connections`)
  assert.deepEqual(page.problems, [])
  assert.doesNotMatch(server.output, /Error/)
  await server.stop()
  t.diagnostic(`next ${versionOf(app, 'next')}, drizzle-orm ${versionOf(app, 'drizzle-orm')}, ${browser.version()} (Chromium)`)
})

/** Changes a file of the app. */
function change(path, from, to) {
  const file = join(app, path)
  const text = readFileSync(file, 'utf8')
  assert.ok(text.includes(from))
  writeFileSync(file, text.replace(from, to))
}

test('in development, one pool stays through hot reloads', async () => {
  // A second connection is then one of a second pool.
  change('lib/db.ts', 'max: 5', 'max: 1, idleTimeoutMillis: 0')
  deployment.emulator.resetCounts()
  const { address, server } = await startApp(app, [join(app, 'node_modules', 'next', 'dist', 'bin', 'next'), 'dev'])
  const page = await openPage(address)
  await page.getByText('9 items').first().waitFor()
  for (const round of ['first', 'second']) {
    // lib/db.ts itself is evaluated again, and the page shows what was changed with it.
    change('lib/db.ts', "import 'server-only'\n", `import 'server-only'\nconsole.log('evaluated: ${round}')\n`)
    change('components/page-header.tsx', '<h1', `<p>changed: ${round}</p><h1`)
    // While the page streams, its fallback has the header, too.
    await page.getByText(`changed: ${round}`).first().waitFor()
    await page.reload()
    await page.getByText('9 items').first().waitFor()
    assert.match(server.output, new RegExp(`evaluated: ${round}`))
  }
  assert.equal(deployment.emulator.counts.connections.database.opened, 1)
  assert.deepEqual(page.problems, [])
  await server.stop()
})

const explained = /lakebase-native runs only in Node\.js - import it in server components/

const misplaced = {
  'app/client/page.tsx': "'use client'\nimport { createLakebasePool } from 'lakebase-native'\nexport default function Page() { return <p>{typeof createLakebasePool}</p> }\n",
  'app/edge/route.ts': "import pg from 'lakebase-native/pg'\nexport const runtime = 'edge'\nexport const GET = () => new Response(typeof pg)\n",
  'middleware.ts': "import { drizzle } from 'lakebase-native/drizzle'\nexport const middleware = () => new Response(typeof drizzle)\n",
}

test('in a client component, on the edge runtime and in middleware, the import ends the build with what to do', async () => {
  for (const folder of ['app', 'components', 'lib', '.next']) rmSync(join(app, folder), { recursive: true })
  const layout = 'export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html> }\n'
  for (const [path, content] of Object.entries({ 'app/layout.jsx': layout, ...misplaced })) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    writeFileSync(join(app, path), content)
  }
  const { code, output } = await npx(app, 'next', ['build'])
  assert.equal(code, 1, output)
  assert.match(output, explained)
  for (const path of Object.keys(misplaced)) assert.ok(output.includes(`./${path}`), `the build names ${path}:\n${output}`)
})
