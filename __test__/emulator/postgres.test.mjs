import assert from 'node:assert/strict'
import { cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import pg from 'pg'
import { findBinDir } from '../../dist/emulator/binaries.js'
import { startPostgres } from '../../dist/emulator/postgres.js'

const { native } = createRequire(import.meta.url)('../../dist/native.js')

describe('a PostgreSQL of its own', { concurrency: true }, () => {
  for (const auth of ['scram-sha-256', 'md5', 'password']) {
    test(`${auth} authentication over PostgreSQL's own TLS`, async () => {
      const { ca, certificate, key } = native.issueCertificate(['localhost', '127.0.0.1'])
      const password = "it's secret"
      const postgres = await startPostgres({ host: '127.0.0.1', ssl: { certificate, key }, auth, superuser: 'admin', password })
      try {
        const options = { host: 'localhost', port: postgres.port, user: postgres.superuser, database: 'postgres', ssl: { ca } }
        const session = new pg.Client({ ...options, password })
        await session.connect()
        const { rows } = await session.query('SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
        assert.match(rows[0].version, /^TLS/)
        await session.end()
        await assert.rejects(new pg.Client({ ...options, password: 'wrong' }).connect(), { code: '28P01' })
        assert.deepEqual(await postgres.query('SELECT 1 AS one, NULL AS nothing'), [{ one: '1', nothing: null }])
        await assert.rejects(postgres.query('SELECT 1/0'), /division by zero.*22012/)
      } finally {
        await postgres.stop()
      }
      assert.equal(existsSync(postgres.directory), false)
    })
  }

  test('the programs run without the symbolic links that a blocked install script did not make', async () => {
    const home = mkdtempSync(join(tmpdir(), 'lakebase-unlinked-'))
    try {
      cpSync(dirname(findBinDir({})), home, {
        recursive: true,
        filter: (path) => !lstatSync(path).isSymbolicLink() && !path.endsWith('.a'),
      })
      assert.equal(readdirSync(join(home, 'lib')).includes('libpq.so.5'), false)
      // mkdtemp makes a directory that only its owner may enter: as root this also covers programs out of PostgreSQL's reach.
      const postgres = await startPostgres({ binDir: join(home, 'bin') })
      assert.deepEqual(await postgres.query('SELECT 1 AS one'), [{ one: '1' }])
      await postgres.stop()
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})
