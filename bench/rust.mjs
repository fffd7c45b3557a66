/** Runs benches/core.rs against a PostgreSQL of its own: `node bench/rust.mjs [criterion options]`. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainEnvironment } from './child.mjs'
import { root } from './environment.mjs'
import { startPostgres } from './postgres.mjs'
import { hold, releaseAll, releaseOnSignal } from './resources.mjs'
import { createTables } from './tables.mjs'

async function run() {
  const { address, admin } = await startPostgres()
  await createTables(admin)
  const folder = await mkdtemp(join(tmpdir(), 'lakebase-native-bench-'))
  hold(() => rm(folder, { recursive: true, force: true }))
  const authorityFile = join(folder, 'ca.pem')
  await writeFile(authorityFile, address.ca)

  const { host, port, user, password, database } = address
  const cargo = spawn('cargo', ['bench', '--bench', 'core', '--no-default-features', '--', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: plainEnvironment({
      BENCH_DATABASE_URL: `postgresql://${user}:${password}@${host}:${port}/${database}?sslmode=require`,
      BENCH_CA_FILE: authorityFile,
    }),
  })
  hold(() => cargo.kill())
  const [code] = await once(cargo, 'exit')
  process.exitCode = code ?? 1
}

releaseOnSignal()
try {
  await run()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await releaseAll()
}
