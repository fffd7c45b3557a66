// docs/orms.md, pgvector. The server has no such extension: the type is one of the same name, text form and operator.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const sql = `
create type vector;
create function vector_in(cstring) returns vector language internal immutable strict as 'textin';
create function vector_out(vector) returns cstring language internal immutable strict as 'textout';
create type vector (input = vector_in, output = vector_out, like = text);
create function distance(a vector, b vector) returns float8 language sql immutable strict as $$
  select sqrt(sum((x - y) ^ 2)) from unnest(translate(a::text, '[]', '{}')::float8[], translate(b::text, '[]', '{}')::float8[]) as pair(x, y)
$$;
create operator <-> (leftarg = vector, rightarg = vector, function = distance);
create table item (id int, embedding vector);
insert into item values (1, '[1,1,1]'), (2, '[5,5,5]'), (3, '[1.5,1,1]')`

const app = await ormApp('pgvector', { sql })
let pool
let nearest
app.start(async (module) => {
  ;({ pool, nearest } = module)
})

test('vectors are arrays of numbers in both directions, on every connection', async () => {
  const expected = [
    { id: 1, embedding: [1, 1, 1] },
    { id: 3, embedding: [1.5, 1, 1] },
    { id: 2, embedding: [5, 5, 5] },
  ]
  const results = await Promise.all(Array.from({ length: 20 }, () => nearest([1, 1, 1])))
  for (const rows of results) assert.deepEqual(rows, expected)
})

test('a vector is inserted', async () => {
  const pgvector = (await app.library('pgvector/pg')).default
  await pool.query('insert into item values (4, $1)', [pgvector.toSql([9, 9, 9])])
  const { rows } = await pool.query('select embedding from item where id = 4')
  assert.deepEqual(rows, [{ embedding: [9, 9, 9] }])
})

test('the pool is ended by itself', async () => {
  await pool.end()
  await app.sessionsEnded()
})
