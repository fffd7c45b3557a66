// The smoke suite: what may differ from one platform or runtime to another. It runs in an app with the package installed, on any runtime
// that has Node.js' modules, against servers on the host that SMOKE_SERVERS describes, and prints TAP.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { ConnectionError, createLakebasePool, getCredential, getDatabaseUrl, getToken } from 'lakebase-native'
import pg, { DatabaseError } from 'lakebase-native/pg'

const { ca, scram } = JSON.parse(process.env.SMOKE_SERVERS)
const BOUND_MILLIS = 120_000

if (!isMainThread) {
  await inWorker()
} else {
  await main()
}

async function inWorker() {
  const pool = createLakebasePool({ max: 2 })
  const { rows } = await pool.query('select $1::int as n', [7])
  await pool.end()
  parentPort.postMessage(rows[0].n)
}

async function main() {
  const pool = createLakebasePool({ max: 4 })
  const plain = new pg.Pool({ ...scram, max: 2 })
  /** @type {[string, () => unknown][]} */
  const tests = [...values(pool), ...texts(pool), ...parameters(pool), ...tokens(pool), ...queries(pool), ...transactions(pool), ...failures(pool), ...connections(plain), ...threads()]
  console.log(`TAP version 13\n1..${tests.length}`)
  let failed = 0
  for (const [index, [name, test]] of tests.entries()) {
    const error = await outcome(test)
    if (error) failed++
    console.log(`${error ? 'not ok' : 'ok'} ${index + 1} - ${name}`)
    if (error) console.log(String(error.stack ?? error).replaceAll(/^/gm, '  # '))
  }
  await Promise.all([pool.end(), plain.end()])
  console.log(`# ${tests.length - failed} passed, ${failed} failed`)
  process.exitCode = failed ? 1 : 0
}

/** The test's error, or undefined. A hang is a failure. */
async function outcome(test) {
  let timer
  try {
    await Promise.race([
      (async () => test())(),
      new Promise((_, reject) => (timer = setTimeout(reject, BOUND_MILLIS, new Error('it hangs')))),
    ])
    return undefined
  } catch (error) {
    return error ?? new Error('thrown nothing')
  } finally {
    clearTimeout(timer)
  }
}

/** Byte order, floating point, time: how each type arrives, in both protocols. */
function values(pool) {
  const list = [
    ["'-32768'::int2", -32768],
    ["'32767'::int2", 32767],
    ["'-2147483648'::int4", -2147483648],
    ["'2147483647'::int4", 2147483647],
    ["'-9223372036854775808'::int8", '-9223372036854775808'],
    ["'9007199254740993'::int8", '9007199254740993'],
    ['4294967295::oid', 4294967295],
    ["'1.5'::float4", 1.5],
    ["'3.4028235e38'::float4", 3.4028235e38],
    ["'0.1'::float8", 0.1],
    ["'5e-324'::float8", 5e-324],
    ["'1.7976931348623157e308'::float8", Number.MAX_VALUE],
    ["'-0'::float8", -0],
    ["'NaN'::float8", NaN],
    ["'-Infinity'::float8", -Infinity],
    ["'123456789012345678901234567890.123456789'::numeric", '123456789012345678901234567890.123456789'],
    ['true', true],
    ['false', false],
    ['null::int4', null],
    ["''::text", ''],
    ["'\\x00ff80'::bytea", Buffer.from([0, 255, 128])],
    ["'2024-02-29 23:59:59.999+00'::timestamptz", new Date('2024-02-29T23:59:59.999Z')],
    ["'1900-01-01 00:00:00+00'::timestamptz", new Date('1900-01-01T00:00:00Z')],
    ["'9999-12-31 23:59:59+00'::timestamptz", new Date('9999-12-31T23:59:59Z')],
    ["'infinity'::timestamptz", Infinity],
    ["'2024-02-29 12:00:00'::timestamp", new Date(2024, 1, 29, 12)],
    ["'2024-02-29'::date", new Date(2024, 1, 29)],
    [`'{"a":[1,null,"é"],"b":{"c":1e3}}'::json`, { a: [1, null, 'é'], b: { c: 1000 } }],
    [`'["\\u4e2d","😀"]'::jsonb`, ['中', '😀']],
    ["'{1,NULL,3}'::int4[]", [1, null, 3]],
    [`'{{"a b","c"},{NULL,"d"}}'::text[]`, [['a b', 'c'], [null, 'd']]],
    ["'00000000-0000-0000-0000-0000000000ff'::uuid", '00000000-0000-0000-0000-0000000000ff'],
    ["'::1'::inet", '::1'],
    ["'(1,2)'::point", { x: 1, y: 2 }],
  ]
  return list.flatMap(([sql, expected]) => [
    [`${sql}, simple`, async () => assert.deepEqual((await pool.query(`select ${sql} as v`)).rows, [{ v: expected }])],
    [
      `${sql}, extended`,
      async () => assert.deepEqual((await pool.query({ text: `select ${sql} as v where $1`, values: [true], rowMode: 'array' })).rows, [[expected]]),
    ],
  ])
}

/** Texts go through vector instructions in blocks: each length about a block's, with its last character from each of V8's forms and beyond. */
function texts(pool) {
  const lengths = [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 3839, 3840, 3841, 65_537]
  return lengths.flatMap((length) =>
    ['é', '中', '😀'].map((last) => [
      `a text of ${length} characters that ends with ${last}`,
      async () => {
        const text = 'a'.repeat(length - 1) + last
        const { rows } = await pool.query('select $1::text as same, repeat($2, $3::int) || $4 as made, md5($1) as md5', [text, 'a', length - 1, last])
        assert.deepEqual(rows, [{ same: text, made: text, md5: createHash('md5').update(text).digest('hex') }])
      },
    ]),
  )
}

/** Values that go in come out. */
function parameters(pool) {
  const list = [
    ['text', 'plain'],
    ['text', "quote ' and \\ backslash \n line"],
    ['text', 'x'.repeat(1_000_000)],
    ['int4', -1],
    ['int8', '-1', -1n],
    ['int8', '9223372036854775807', 9223372036854775807n],
    ['float8', 1e-7],
    ['numeric', '0.10'],
    ['bool', true],
    ['text', null],
    ['bytea', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['bytea', Buffer.alloc(100_000, 0xa5)],
    ['timestamptz', new Date('2001-02-03T04:05:06.789Z')],
    ['jsonb', { nested: [{ deep: 'ü' }] }],
    ['int4[]', [3, 1, 2]],
    ['text[]', ['a"b', 'c,d', '', '中']],
  ]
  return list.map(([type, expected, given = expected], index) => [
    `parameter ${index + 1}: ${type}`,
    async () => assert.deepEqual((await pool.query(`select $1::${type} as v`, [given])).rows[0].v, expected),
  ])
}

/** The workspace's API over HTTPS, and what it gives. */
function tokens(pool) {
  return [
    ['a workspace token', async () => assert.match(await getToken(), /^\S{10,}$/)],
    ['a token is fetched again when asked', async () => assert.match(await getToken({ refresh: true }), /^\S{10,}$/)],
    ['a database credential with its expiry', async () => assert.ok((await getCredential()).expiresAt.getTime() > Date.now())],
    ['a database URL', async () => assert.match(await getDatabaseUrl(), /^postgres(ql)?:\/\//)],
    ['the session is encrypted', async () => assert.equal((await pool.query('select 1 as n')).rows[0].n, 1)],
    [
      'a certificate of another authority is refused',
      async () => {
        const stranger = createLakebasePool({ ssl: { ca: scram.ssl.ca }, max: 1 })
        try {
          const error = await stranger.query('select 1').then(() => undefined, (reason) => reason)
          assert.ok(error instanceof ConnectionError, String(error))
        } finally {
          await stranger.end()
        }
      },
    ],
    ['the authority of the emulator is not the other one', () => assert.notEqual(ca, scram.ssl.ca)],
  ]
}

function queries(pool) {
  return [
    [
      '500 queries at once',
      async () => {
        const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => pool.query('select $1::int as n', [n])))
        assert.deepEqual(answers.map(({ rows }) => rows[0].n), Array.from({ length: 500 }, (_, n) => n))
      },
    ],
    [
      'a hundred thousand rows',
      async () => {
        const { rows } = await pool.query("select n, n::float8 / 3 as third, 'row ' || n as text from generate_series(1, 100000) n")
        assert.equal(rows.length, 100_000)
        assert.deepEqual(rows[99_999], { n: 100_000, third: 100_000 / 3, text: 'row 100000' })
      },
    ],
    [
      'ten megabytes in and out',
      async () => {
        const bytes = Buffer.alloc(10_000_000)
        for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31) & 255
        const { rows } = await pool.query('select $1::bytea as b, md5($1::bytea) as md5', [bytes])
        assert.ok(rows[0].b.equals(bytes))
        assert.equal(rows[0].md5, createHash('md5').update(bytes).digest('hex'))
      },
    ],
    [
      'a result of 300 columns',
      async () => {
        const { rows } = await pool.query(`select ${Array.from({ length: 300 }, (_, n) => `${n} as c${n}`).join()}`)
        assert.equal(Object.values(rows[0]).reduce((sum, n) => sum + n), (299 * 300) / 2)
      },
    ],
    [
      'a stream',
      async () => {
        const client = await pool.connect()
        let sum = 0
        for await (const { n } of client.stream('select n from generate_series(1, 10000) n')) sum += n
        client.release()
        assert.equal(sum, 50_005_000)
      },
    ],
    ['several statements', async () => assert.deepEqual((await pool.query('select 1 as a; select 2 as b')).map(({ rows }) => rows[0]), [{ a: 1 }, { b: 2 }])],
    ['an empty query', async () => assert.equal((await pool.query('')).rows.length, 0)],
    ['a named statement, twice', async () => assert.deepEqual([await named(pool, 1), await named(pool, 2)], [1, 2])],
    [
      'a parser of the caller',
      async () => assert.deepEqual((await pool.query({ text: 'select 5::int4 as n', types: { getTypeParser: () => (text) => `<${text}>` } })).rows, [{ n: '<5>' }]),
    ],
    [
      'a callback',
      async () => assert.deepEqual(await new Promise((resolve, reject) => pool.query('select 1 as n', (error, result) => (error ? reject(error) : resolve(result.rows)))), [{ n: 1 }]),
    ],
    ['what a command did', async () => assert.deepEqual(commandOf(await pool.query('create temporary table if not exists t (n int)')), ['CREATE', null])],
    ['the columns of a result', async () => assert.deepEqual((await pool.query('select 1::int8 as n')).fields.map(({ name, dataTypeID }) => [name, dataTypeID]), [['n', 20]])],
  ]
}

async function named(pool, n) {
  return (await pool.query({ name: 'smoke', text: 'select $1::int as n', values: [n] })).rows[0].n
}

function commandOf({ command, rowCount }) {
  return [command, rowCount]
}

function transactions(pool) {
  return [
    [
      'a transaction that commits',
      async () => {
        await pool.query('create table if not exists smoke (n int primary key)')
        await pool.query('truncate smoke')
        await pool.transaction(async (client) => {
          await client.query('insert into smoke values (1)')
          await client.query('insert into smoke values (2)')
        })
        assert.equal((await pool.query('select sum(n)::int as n from smoke')).rows[0].n, 3)
      },
    ],
    [
      'a transaction that rolls back',
      async () => {
        const reason = new Error('no')
        const caught = await pool.transaction(async (client) => {
          await client.query('insert into smoke values (3)')
          throw reason
        }).catch((error) => error)
        assert.equal(caught, reason)
        assert.equal((await pool.query('select count(*)::int as n from smoke')).rows[0].n, 2)
      },
    ],
    [
      'a savepoint',
      async () => {
        const client = await pool.connect()
        await client.query('begin')
        await client.query('savepoint s')
        await assert.rejects(client.query('insert into smoke values (1)'), { code: '23505' })
        await client.query('rollback to s')
        await client.query('commit')
        client.release()
      },
    ],
    [
      'LISTEN and NOTIFY',
      async () => {
        const client = await pool.connect()
        await client.query('listen smoke')
        const heard = once(client, 'notification')
        await pool.query("notify smoke, 'grüße'")
        const [{ channel, payload }] = await heard
        client.release(true)
        assert.deepEqual([channel, payload], ['smoke', 'grüße'])
      },
    ],
    [
      'a notice',
      async () => {
        const client = await pool.connect()
        const heard = once(client, 'notice')
        await client.query("do $$ begin raise notice 'heard'; end $$")
        const [{ message }] = await heard
        client.release()
        assert.equal(message, 'heard')
      },
    ],
  ]
}

function failures(pool) {
  const rejects = (text, code) => [`${code}: ${text}`, () => assert.rejects(pool.query(text), (error) => error instanceof DatabaseError && error.code === code)]
  return [
    rejects('selec 1', '42601'),
    rejects('select 1 / 0', '22012'),
    rejects('select * from nowhere', '42P01'),
    rejects("select 'x'::int", '22P02'),
    rejects("do $$ begin raise exception 'own' using errcode = 'AB123'; end $$", 'AB123'),
    [
      'query_timeout',
      async () => {
        const client = new pg.Client({ ...scram, query_timeout: 200 })
        await client.connect()
        await assert.rejects(client.query('select pg_sleep(60)'), /timeout/i)
        await client.end()
      },
    ],
    [
      'statement_timeout',
      async () => {
        const client = new pg.Client({ ...scram, statement_timeout: 200 })
        await client.connect()
        await assert.rejects(client.query('select pg_sleep(60)'), { code: '57014' })
        await client.end()
      },
    ],
    [
      'a connection that the server ends',
      async () => {
        const client = await pool.connect()
        client.on('error', () => {})
        await assert.rejects(client.query('select pg_terminate_backend(pg_backend_pid())'))
        client.release(true)
        assert.equal((await pool.query('select 1 as n')).rows[0].n, 1)
      },
    ],
    [
      'ECONNREFUSED',
      async () => {
        const server = createServer().listen(0, '127.0.0.1')
        await once(server, 'listening')
        const { port } = server.address()
        await new Promise((resolve) => server.close(resolve))
        await assert.rejects(new pg.Client({ host: '127.0.0.1', port, user: 'u', database: 'd' }).connect(), { code: 'ECONNREFUSED' })
      },
    ],
    [
      'ENOTFOUND',
      () => assert.rejects(new pg.Client({ host: 'nowhere.invalid', user: 'u', database: 'd' }).connect(), ({ code }) => ['ENOTFOUND', 'EAI_AGAIN'].includes(code)),
    ],
    [
      'a server that says nothing',
      async () => {
        const sockets = []
        const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
        await once(server, 'listening')
        const client = new pg.Client({ host: '127.0.0.1', port: server.address().port, user: 'u', database: 'd', connectionTimeoutMillis: 300 })
        await assert.rejects(client.connect(), /timeout/i)
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    ],
  ]
}

/** A server of its own, with TLS and a password: SCRAM-SHA-256-PLUS. */
function connections(plain) {
  const one = async (options) => {
    const client = new pg.Client(options)
    await client.connect()
    try {
      return (await client.query('select 1 as n')).rows[0].n
    } finally {
      await client.end()
    }
  }
  return [
    ['SCRAM with channel binding', async () => assert.equal(await one({ ...scram, enableChannelBinding: true }), 1)],
    ['SCRAM without TLS', async () => assert.equal(await one({ ...scram, ssl: false }), 1)],
    ['a wrong password', () => assert.rejects(one({ ...scram, password: 'wrong' }), { code: '28P01' })],
    ['a host by its name', async () => assert.equal(await one({ ...scram, host: 'localhost' }), 1)],
    ['a connection string', async () => assert.equal(await one({ connectionString: `postgres://${scram.user}:${scram.password}@${scram.host}:${scram.port}/${scram.database}?sslmode=disable` }), 1)],
    [
      'a name that the certificate does not have',
      () => assert.rejects(one({ ...scram, ssl: { ca: scram.ssl.ca, servername: 'other.example' } }), /it is not for other\.example/),
    ],
    ['the encryption that the server sees', async () => assert.match((await plain.query('select version from pg_stat_ssl where pid = pg_backend_pid()')).rows[0].version, /^TLSv1\.3$/)],
    ['TLS 1.2', async () => assert.equal(await one({ ...scram, ssl: { ca: scram.ssl.ca, maxVersion: 'TLSv1.2' } }), 1)],
    [
      'a pool that is ended with work under way',
      async () => {
        const pool = new pg.Pool({ ...scram, max: 1 })
        const slow = pool.query('select 1 as n, pg_sleep(0.1)')
        await Promise.all([slow, pool.end()])
        assert.equal((await slow).rows[0].n, 1)
      },
    ],
    [
      'idle connections close',
      async () => {
        const pool = new pg.Pool({ ...scram, max: 1, idleTimeoutMillis: 10 })
        const removed = once(pool, 'remove')
        await pool.query('select 1')
        await removed
        assert.equal(pool.totalCount, 0)
        await pool.end()
      },
    ],
  ]
}

function threads() {
  return [
    [
      'three worker threads at the same time',
      async () => {
        const workers = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url)))
        const answers = await Promise.all(workers.map((worker) => once(worker, 'message')))
        assert.deepEqual(answers.flat(), [7, 7, 7])
        await Promise.all(workers.map((worker) => worker.terminate()))
      },
    ],
    [
      'a thread that is ended at work',
      async () => {
        const worker = new Worker(new URL(import.meta.url))
        await once(worker, 'online')
        await worker.terminate()
      },
    ],
  ]
}
