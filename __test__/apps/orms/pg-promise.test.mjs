// docs/orms.md, pg-promise: in an app of its own, where the package `pg` is replaced.
import assert from 'node:assert/strict'
import { realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createRequire } from 'node:module'
import { deploy } from '../../support/deployment.mjs'
import { createApp, versionOf as installedVersion } from '../support/app.mjs'
import { blockOf, versionOf } from './support/orm.mjs'

const app = await createApp({
  dependencies: { pg: 'file:./pg', 'pg-promise': versionOf('pg-promise') },
  overrides: { pg: '$pg' },
  files: {
    'pg/package.json': '{ "name": "pg", "version": "8.23.1", "main": "index.js" }',
    'pg/index.js': "module.exports = require('lakebase-native/pg')\n",
    'pg/lib/utils.js': "module.exports = require('lakebase-native/pg').utils\n",
  },
})
const deployment = deploy()

const open = () => {
  writeFileSync(join(app, 'connection.mjs'), blockOf('pg-promise'))
  return import(pathToFileURL(join(app, 'connection.mjs'))).then(({ db }) => db)
}

test('the version is the one that docs/orms.md names', () => {
  assert.equal(installedVersion(app, 'pg-promise'), versionOf('pg-promise'))
})

test('tables, rows, a nested transaction and an error, on the replaced package', async () => {
  const db = await open()
  const requireThere = createRequire(realpathSync(join(app, 'node_modules/pg-promise/package.json')))
  assert.equal(requireThere('pg').Pool, createRequire(join(app, 'package.json'))('lakebase-native/pg').Pool)
  await db.none('create table author (id serial primary key, name text not null unique); create table book (title text, author_id int references author)')
  const { id } = await db.one("insert into author (name) values ('Ada') returning id")
  await db.none('insert into book values (${title}, ${id})', { title: 'Notes', id })
  const work = db.tx(async (tx) => {
    await tx.none("insert into author (name) values ('Grace')")
    await tx.tx((inner) => inner.none('select nope')).catch(() => {})
    assert.equal((await tx.any('select name from author')).length, 2)
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.deepEqual(await db.any('select name, title from author join book on author_id = author.id'), [{ name: 'Ada', title: 'Notes' }])
  await assert.rejects(db.none("insert into author (name) values ('Ada')"), { code: '23505', constraint: 'author_name_key' })
  await db.$pool.end()
  assert.equal(deployment.calls.postgres, 1)
})
