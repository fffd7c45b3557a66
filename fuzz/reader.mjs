// The reader of batches (ts/answers.ts, ts/rows.ts) under arbitrary words and texts. As a program, for so many seconds:
//   node fuzz/reader.mjs 600
import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import core from '../dist/core.js'

const { expect, read } = core['answers.js']()
const { Cursor } = core['rows.js']()

const [RESPONSE, ERROR, EVENT, TUNNEL, SENT] = [0, 1, 2, 3, 4]

/** Writes a batch as src/batch does. */
class Packer {
  words = []
  chunks = ['']

  frame(request, kind, detail, body = [], texts = []) {
    const [chunk, at] = [this.chunks.length - 1, this.chunks.at(-1).length]
    for (const text of texts) {
      if (this.chunks.at(-1).length > 0 && this.chunks.at(-1).length + text.length > 100) this.chunks.push('')
      this.chunks[this.chunks.length - 1] += text
    }
    this.words.push(request, kind, 8 + body.length, chunk, at, detail, 7, this.chunks.length - 1, ...body)
  }

  json(request, kind, value) {
    const text = JSON.stringify(value)
    this.frame(request, kind, text.length, [], [text])
  }

  /** Rows of an int4, a text and a json. */
  rows(request, rows) {
    const json = JSON.stringify(rows.map(([, , value]) => value))
    const body = [1, rows.length, 0, 0, ...halves(rows.length), ...halves(NaN), 1, json.length]
    for (const [number, text] of rows) body.push(number, text.length)
    this.frame(request, RESPONSE | ('I'.charCodeAt(0) << 8), 1, rows.length ? body : body.slice(0, 8), rows.length ? [json, ...rows.map(([, text]) => text)] : [])
  }

  read() {
    const cursor = new Cursor(Int32Array.from(this.words))
    cursor.start(this.chunks)
    read(cursor, 0, cursor.words.length)
  }
}

function halves(double) {
  return new Int32Array(Float64Array.of(double).buffer)
}

const fields = [['number', 0, 0, 23, 4, -1, false], ['text', 0, 0, 25, -1, -1, false], ['json', 0, 0, 114, -1, -1, false]]

/** The shapes that answers refer to: 1 is that of the neighbours, the others have columns of every kind, one of them too many to generate code. */
function announce() {
  const packer = new Packer()
  packer.json(0, EVENT, { event: 'shape', shape: 1, fields, kinds: [1, 0, 6] })
  const kinds = [0, 1, 2, 3, 4, 5, 6]
  const columns = (count) => Array.from({ length: count }, (_, index) => [`c${index}`, 0, 0, 25, -1, -1, false])
  packer.json(0, EVENT, { event: 'shape', shape: 2, fields: columns(7), kinds })
  packer.json(0, EVENT, { event: 'shape', shape: 3, fields: columns(140), kinds: columns(140).map((_, index) => kinds[index % 6]) })
  packer.json(0, EVENT, { event: 'shape', shape: 4, fields: [], kinds: [] })
  packer.json(0, EVENT, { event: 'shape', shape: 5, fields: columns(2), kinds: [6, 6] })
  packer.read()
}

/** A request and what it hears. */
function waiter(options = {}) {
  const heard = []
  const request = expect({
    options,
    respond: (results, connection, status, error) => heard.push(error ? { error } : { results, status }),
    fail: (error) => heard.push({ error }),
  })
  return { request, heard }
}

const rowsOf = fc.array(fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.string({ maxLength: 90 }), fc.jsonValue({ maxDepth: 1 })), { maxLength: 4 })

/** A neighbour's answer is right, whatever happened before it. */
function assertRight({ heard }, rows) {
  assert.equal(heard.length, 1)
  assert.equal(heard[0].error, undefined)
  const json = JSON.parse(JSON.stringify(rows.map(([, , value]) => value)))
  assert.deepEqual(heard[0].results[0].rows, rows.map(([number, text], index) => ({ number, text, json: json[index] })))
  assert.equal(heard[0].status, 'I')
}

// Small numbers lead further into the reader than large ones do.
const word = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.integer({ min: -3, max: 200 }), fc.integer({ min: -0x80000000, max: 0x7fffffff }))
const text = fc.oneof(fc.string({ maxLength: 300 }), fc.json(), fc.constantFrom('[]', '[1,2]', '{', '[[', '"', 'null', '{"kind":"database","server":{}}'))

const properties = {
  /** A frame whose words and texts mean nothing, between two that are right. */
  frame: fc.property(
    rowsOf, rowsOf, fc.constantFrom(RESPONSE, ERROR, EVENT, TUNNEL, SENT, 9), word, fc.array(word, { maxLength: 40 }), fc.array(text, { maxLength: 4 }),
    fc.constantFrom({}, { rowMode: 'array' }),
    (before, after, kind, detail, body, texts, options) => {
      const [first, wild, last] = [waiter(), waiter(options), waiter()]
      if (body.length % 2) body.pop()
      const packer = new Packer()
      packer.rows(first.request, before)
      packer.frame(wild.request, kind, detail, body, texts)
      packer.rows(last.request, after)
      packer.read()
      assertRight(first, before)
      assertRight(last, after)
      if (kind === SENT || kind === TUNNEL) settle(wild)
      assert.equal(wild.heard.length, 1)
    },
  ),

  /** Answers that are read with a caller's parsers, which throw or answer anything. */
  parsers: fc.property(
    rowsOf, fc.array(fc.tuple(rowsOf, fc.constantFrom('parser', 'getTypeParser', 'getter', 'callback'), fc.anything()), { maxLength: 5 }),
    (rows, others) => {
      const thrown = []
      const onThrown = (error) => thrown.push(error)
      const { nextTick } = process
      // What a callback throws is the process's, in its next tick.
      process.nextTick = (call) => onThrown(call)
      try {
        const waiters = others.map(([, where, value]) => (where === 'callback' ? throwing(value) : waiter({ types: sourceOf(where, value) })))
        const [first, last] = [waiter(), waiter()]
        const packer = new Packer()
        packer.rows(first.request, rows)
        others.forEach(([own], index) => packer.rows(waiters[index].request, own))
        packer.rows(last.request, rows)
        packer.read()
        assertRight(first, rows)
        assertRight(last, rows)
        others.forEach(([own, where], index) => {
          assert.equal(waiters[index].heard.length, 1)
          if (own.length > 0 && where !== 'callback') assert.ok(waiters[index].heard[0].error)
        })
        assert.equal(thrown.length, others.filter(([, where]) => where === 'callback').length)
      } finally {
        process.nextTick = nextTick
      }
    },
  ),

  /** Words and texts that mean nothing at all: the reader comes to an end, throws nothing, and tells those whose answers may be lost. */
  batch: fc.property(fc.array(word, { maxLength: 60 }), fc.array(text, { maxLength: 4 }), fc.boolean(), (words, chunks, headed) => {
    const own = waiter()
    if (headed && words.length >= 8) words.splice(0, 3, own.request, words[1], words.length)
    const cursor = new Cursor(Int32Array.from(words))
    cursor.start(chunks)
    read(cursor, 0, words.length)
    settle(own)
    assert.equal(own.heard.length, 1)
    announce()
  }),
}

/** Answers a request that may still wait. */
function settle({ request }) {
  const packer = new Packer()
  packer.rows(request, [])
  packer.read()
}

function throwing(value) {
  const heard = []
  const hear = (kind) => () => {
    heard.push(kind)
    throw value
  }
  return { heard, request: expect({ respond: hear('respond'), fail: hear('fail') }) }
}

function sourceOf(where, value) {
  const fail = () => {
    throw value
  }
  if (where === 'parser') return { getTypeParser: () => fail }
  if (where === 'getTypeParser') return { getTypeParser: fail }
  if (where === 'getter') return Object.defineProperty({}, 'getTypeParser', { get: fail })
  return undefined
}

/** Runs one of the properties; throws, with the smallest case, when it does not hold. */
export function checkReader(name, options) {
  process.on('warning', ignore)
  const emitWarning = process.emitWarning
  // An event that cannot be read is a warning; here there are thousands.
  process.emitWarning = ignore
  try {
    announce()
    fc.assert(properties[name], options)
  } finally {
    process.emitWarning = emitWarning
    process.off('warning', ignore)
  }
}

function ignore() {}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const until = Date.now() + 1000 * Number(process.argv[2] ?? 60)
  let runs = 0
  for (let seed = Date.now() % 0x7fffffff; Date.now() < until; seed++) {
    for (const name of Object.keys(properties)) {
      checkReader(name, { seed, numRuns: 500 })
      runs += 500
    }
  }
  console.log(`${runs} runs, no failure; at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
}
