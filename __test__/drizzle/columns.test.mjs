// Every column type in each of its modes, written and read; nulls and arrays, too.
import { compare } from './support/comparison.mjs'

const date = new Date('2024-02-29T12:34:56.789Z')

/** Extensions' types, of which a driver sees the text. */
const types = `
  create type mood as enum ('sad', 'ok', 'happy, "very"');
  create domain vector as text; create domain halfvec as text; create domain sparsevec as text; create domain geometry as text`

/** A type's SQL, how Drizzle declares it, and values. `texts` are read only: what Drizzle would not write. */
const samples = ({ core }) => {
  const mood = core.pgEnum('mood', ['sad', 'ok', 'happy, "very"'])
  const custom = core.customType({
    dataType: () => 'text',
    toDriver: (value) => JSON.stringify(value),
    fromDriver: (value) => ({ from: value }),
  })
  const plain = core.customType({ dataType: () => 'numeric(10, 2)' })
  return {
    smallint: { sql: 'smallint', column: core.smallint(), values: [-32768, 0, 32767] },
    integer: { sql: 'integer', column: core.integer(), values: [-2147483648, 0, 2147483647] },
    'bigint as number': { sql: 'bigint', column: core.bigint({ mode: 'number' }), values: [0, -9007199254740991] },
    'bigint as bigint': { sql: 'bigint', column: core.bigint({ mode: 'bigint' }), values: [0n, 9223372036854775807n, -9223372036854775808n] },
    numeric: { sql: 'numeric', column: core.numeric(), values: ['0', '-1.50', '1e400', 'NaN'] },
    'numeric as number': { sql: 'numeric', column: core.numeric({ mode: 'number' }), values: [0, -1.5] },
    'numeric as bigint': { sql: 'numeric', column: core.numeric({ mode: 'bigint' }), values: [123456789012345678901234567890n] },
    'numeric with scale': { sql: 'numeric(12, 4)', column: core.numeric({ precision: 12, scale: 4 }), values: ['1.2'] },
    real: { sql: 'real', column: core.real(), values: [0.1, -1.5, 3e38] },
    'double precision': { sql: 'double precision', column: core.doublePrecision(), values: [0.1, -1.5e300], texts: ['NaN', '-Infinity', '-0'] },
    boolean: { sql: 'boolean', column: core.boolean(), values: [true, false] },
    text: { sql: 'text', column: core.text(), values: ['', 'naïve 😀 "quoted" \\ \'', '{1,2}'] },
    'text of an enum': { sql: 'text', column: core.text({ enum: ['a', 'b'] }), values: ['a', 'b'] },
    varchar: { sql: 'varchar(10)', column: core.varchar({ length: 10 }), values: ['abc'] },
    char: { sql: 'char(5)', column: core.char({ length: 5 }), values: ['abc'] },
    json: { sql: 'json', column: core.json(), values: [{ a: [1, null, { b: 'x' }] }, 'text', 1.5, true, [], [1, [2]]], texts: ['{"b": 1, "a": 2}', 'null'] },
    jsonb: { sql: 'jsonb', column: core.jsonb(), values: [{ a: [1, null, { b: 'x' }] }, 'text', 1.5, true, [], [1, [2]]], texts: ['{"b": 1, "a": 2}', 'null'] },
    uuid: { sql: 'uuid', column: core.uuid(), values: ['c0ffee00-0000-4000-8000-000000000001'] },
    date: { sql: 'date', column: core.date(), values: ['2024-02-29', '0044-03-15 BC', 'infinity'] },
    'date as Date': { sql: 'date', column: core.date({ mode: 'date' }), values: [new Date('2024-02-29')] },
    time: { sql: 'time', column: core.time(), values: ['12:34:56.789', '24:00:00'] },
    'time with time zone': { sql: 'timetz(3)', column: core.time({ withTimezone: true, precision: 3 }), values: ['12:34:56.789+05:30'] },
    timestamp: { sql: 'timestamp', column: core.timestamp(), values: [date, new Date('0099-01-01T00:00:00Z'), new Date(0)], texts: ['2024-02-29 12:34:56.789123'] },
    'timestamp as string': { sql: 'timestamp(3)', column: core.timestamp({ mode: 'string', precision: 3 }), values: ['2024-02-29 12:34:56.789', 'infinity'] },
    timestamptz: { sql: 'timestamptz', column: core.timestamp({ withTimezone: true }), values: [date], texts: ['2024-02-29 12:34:56.789123+05:30', '1883-11-18 12:00:00 America/New_York'] },
    'timestamptz as string': { sql: 'timestamptz', column: core.timestamp({ withTimezone: true, mode: 'string' }), values: ['2024-02-29 12:34:56.789+02', '-infinity'] },
    interval: { sql: 'interval', column: core.interval(), values: ['1 year 2 mons 3 days 04:05:06.789', '-00:00:01'] },
    enum: { sql: 'mood', column: mood(), values: ['sad', 'happy, "very"'] },
    inet: { sql: 'inet', column: core.inet(), values: ['192.168.0.1', '::1/64'] },
    cidr: { sql: 'cidr', column: core.cidr(), values: ['10.0.0.0/8'] },
    macaddr: { sql: 'macaddr', column: core.macaddr(), values: ['08:00:2b:01:02:03'] },
    macaddr8: { sql: 'macaddr8', column: core.macaddr8(), values: ['08:00:2b:01:02:03:04:05'] },
    point: { sql: 'point', column: core.point(), values: [[1.5, -2]] },
    'point as xy': { sql: 'point', column: core.point({ mode: 'xy' }), values: [{ x: 1.5, y: -2 }] },
    line: { sql: 'line', column: core.line(), values: [[1, 2, 3]] },
    'line as abc': { sql: 'line', column: core.line({ mode: 'abc' }), values: [{ a: 1, b: 2, c: 3 }] },
    bit: { sql: 'bit(5)', column: core.bit({ dimensions: 5 }), values: ['10101'] },
    'a custom type': { sql: 'text', column: custom(), values: [{ any: 'thing' }, 7] },
    'a custom type without mappings': { sql: 'numeric(10, 2)', column: plain(), values: ['1.20'] },
    // Types that Drizzle has no column for, as their text.
    'a range': { sql: 'int4range', column: core.customType({ dataType: () => 'int4range' })(), values: ['[1,5)', 'empty'] },
    'a range of time stamps': { sql: 'tstzrange', column: core.customType({ dataType: () => 'tstzrange' })(), texts: ['[2024-01-01,)'] },
    tsvector: { sql: 'tsvector', column: core.customType({ dataType: () => 'tsvector' })(), texts: ["'fat':2 'rat':3"] },
    xml: { sql: 'xml', column: core.customType({ dataType: () => 'xml' })(), texts: ['<a/>'] },
    money: { sql: 'money', column: core.customType({ dataType: () => 'money' })(), texts: ['$1.50'] },
    bytea: { sql: 'bytea', column: core.customType({ dataType: () => 'bytea' })(), values: [Buffer.from([0, 255, 1])] },
    circle: { sql: 'circle', column: core.customType({ dataType: () => 'circle' })(), texts: ['<(1,2),3>'] },
    oid: { sql: 'oid', column: core.customType({ dataType: () => 'oid' })(), texts: ['4294967295'] },
    vector: { sql: 'vector', column: core.vector({ dimensions: 3 }), values: [[1, 2.5, -3]] },
    halfvec: { sql: 'halfvec', column: core.halfvec({ dimensions: 3 }), values: [[1, 2.5, -3]] },
    sparsevec: { sql: 'sparsevec', column: core.sparsevec({ dimensions: 3 }), values: ['{1:1,3:2}/5'] },
    geometry: { sql: 'geometry', column: core.geometry({ type: 'point' }), texts: ['0101000000000000000000F03F0000000000000040'] },
    'geometry as xy': { sql: 'geometry', column: core.geometry({ type: 'point', mode: 'xy' }), texts: ['0101000000000000000000F03F0000000000000040'] },
    ...(core.bytea && { 'bytea of 1.0': { sql: 'bytea', column: core.bytea(), values: [Buffer.from([0, 255, 1])] } }),
    ...(core.PgBigIntString && { 'bigint as string': { sql: 'bigint', column: core.bigint({ mode: 'string' }), values: ['9223372036854775807'] } }),
  }
}

compare((version) => {
  const run = {}
  const setups = {}
  for (const [title, { sql, column, values = [], texts = [] }] of Object.entries(samples(version))) {
    const name = `of ${title}`
    setups[title] = `${types}; create table "${name}" (id int generated always as identity primary key, value ${sql})`
    const table = version.core.pgTable(name, { id: version.core.integer().primaryKey().generatedAlwaysAsIdentity(), value: column })
    run[title] = async (db) => {
      const written = await db.insert(table).values([...values, null].map((value) => ({ value }))).returning()
      for (const text of texts) await db.execute(version.orm.sql`insert into ${table} (value) values (${text})`)
      // Enough rows for the mapper that is generated.
      await db.execute(version.orm.sql`insert into ${table} (value) select value from ${table}, generate_series(1, 4)`)
      return { written, read: await db.select().from(table).orderBy(table.id), raw: await db.execute(version.orm.sql`select * from ${table} order by id`) }
    }
  }
  return { setup: (title) => setups[title], run }
})

// Arrays of the types above, of one dimension and of two.
compare((version) => {
  const { core, orm, name } = version
  const run = {}
  const setups = {}
  for (const [title, { sql, values = [] }] of Object.entries(samples(version))) {
    // An array of custom values has no encoding of its own, and `bit` takes no array.
    if (values.length === 0 || /custom|bytea|json|vec/.test(title)) continue
    const table = `arrays of ${title}`
    setups[`arrays: ${title}`] = `${types}; create table "${table}" (id int generated always as identity primary key, list ${sql}[], matrix ${sql}[][])`
    const { column: list } = samples(version)[title]
    const { column: matrix } = samples(version)[title]
    const arrays = core.pgTable(table, {
      id: core.integer().primaryKey().generatedAlwaysAsIdentity(),
      list: list.array(),
      matrix: name === '0.45' ? matrix.array().array() : matrix.array('[][]'),
    })
    run[`arrays: ${title}`] = async (db) => {
      const rows = [{ list: values, matrix: [values, values] }, { list: [], matrix: [] }, { list: null, matrix: null }]
      const written = await db.insert(arrays).values(rows).returning()
      await db.execute(orm.sql`insert into ${arrays} (list, matrix) select list, matrix from ${arrays}, generate_series(1, 4)`)
      return { written, read: await db.select().from(arrays).orderBy(arrays.id), raw: await db.execute(orm.sql`select * from ${arrays} order by id`) }
    }
  }
  return { setup: (title) => setups[title], run }
})
