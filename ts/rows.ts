/** Makes row objects from batches. The layout is documented in src/batch/mod.rs. */

import { Kind } from './contract.js'
import { InternalError } from './errors.js'
import { asText, type TypeParser, type TypeSource } from './types.js'

/** One column of a result, as node-postgres describes it. */
export class Field {
  constructor(
    readonly name: string,
    readonly tableID: number,
    readonly columnID: number,
    readonly dataTypeID: number,
    readonly dataTypeSize: number,
    readonly dataTypeModifier: number,
    readonly format: 'text' | 'binary',
  ) {}
}

const NULL_WORD = -2147483648

/** The words and texts of a frame do not add up: a defect of the core. */
export function unreadable(cause?: unknown): InternalError {
  const error = new InternalError('an answer of the core cannot be read')
  error.code = 'INTERNAL_ERROR'
  if (cause !== undefined) error.cause = cause
  return error
}

/** Where in a frame of a batch we are. */
export class Cursor {
  readonly doubles: Float64Array
  position = 0
  /** Behind the frame's last word. */
  end = 0
  private chunks: string[] = []
  private index = 0
  /** The last chunk that the frame's text may come from. */
  private last = 0
  chunk = ''
  at = 0

  constructor(readonly words: Int32Array) {
    this.doubles = new Float64Array(words.buffer, words.byteOffset, words.length >> 1)
  }

  /** Begins a batch. */
  start(chunks: string[]): void {
    this.chunks = chunks
    this.index = 0
    this.chunk = chunks[0] ?? ''
  }

  /** Goes to a frame: its words from `position` to `end`, its text from `at` in `chunk` to somewhere in the chunk `last`. */
  seek(position: number, end: number, chunk: number, at: number, last: number): void {
    this.position = position
    this.end = end
    if (chunk !== this.index) this.open(chunk)
    this.at = at
    this.last = last
  }

  /** What lies before it has been read: a large text must not wait for the end of its batch to be freed. */
  private open(index: number): void {
    while (this.index < index && this.index < this.chunks.length) this.chunks[this.index++] = ''
    this.index = index
    this.chunk = this.chunks[index] ?? ''
  }

  /** The next chunk, when the text goes on behind the end of this one. */
  turn(): string {
    // No chunk is empty: this one could not be made.
    if (this.chunk === '' || this.index >= this.last) throw unreadable()
    this.open(this.index + 1)
    this.at = 0
    return this.chunk
  }

  text(length: number): string {
    if (length === 0) return ''
    if (this.at === this.chunk.length) this.turn()
    const begin = this.at
    const end = begin + length
    if (length < 0 || end > this.chunk.length) throw unreadable()
    this.at = end
    return this.chunk.substring(begin, end)
  }

  /** So many words of the frame, at least, are still to come. */
  demand(words: number): void {
    if (!(words >= 0 && this.position + words <= this.end)) throw unreadable()
  }

  unreadable(): Error {
    return unreadable()
  }
}

interface Slot {
  kind: Kind
  /** In words from the row's start; for doubles, in doubles. */
  offset: number
}

/** `values`: those of the columns that cross as JSON arrays, by column. */
type Decode = (cursor: Cursor, count: number, parsers: TypeParser[], values: unknown[][]) => unknown[]

/** The columns of a result and how to read its rows. One per shape that Rust has announced. */
export class Shape {
  readonly fields: Field[]
  private readonly slots: Slot[]
  private readonly stride: number
  private readonly json: number[]
  private readonly decoders = new Map<string, Decode>()
  private lastKey = ''
  private last: Decode | undefined

  constructor(fields: [string, number, number, number, number, number, boolean][], kinds: Kind[]) {
    this.fields = fields.map(
      ([name, table, column, type, size, modifier, binary]) =>
        new Field(name, table, column, type, size, modifier, binary ? 'binary' : 'text'),
    )
    const isDouble = (kind: Kind) => kind === Kind.Double || kind === Kind.Timestamp
    let double = 0
    let word = kinds.filter(isDouble).length * 2
    this.slots = kinds.map((kind) => ({ kind, offset: isDouble(kind) ? double++ : kind === Kind.Json ? 0 : word++ }))
    this.stride = Math.max(2, (word + 1) & ~1)
    this.json = kinds.flatMap((kind, column) => (kind === Kind.Json ? [column] : []))
  }

  /** The columns for one result: callers may change what they get. */
  copyFields(): Field[] {
    const { fields } = this
    const copies = new Array<Field>(fields.length)
    for (let i = 0; i < fields.length; i++) {
      const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format } = fields[i]!
      copies[i] = new Field(name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format)
    }
    return copies
  }

  /** Takes `count` rows from the frame. A parser's exception is thrown. */
  decode(cursor: Cursor, count: number, source: TypeSource, asArrays: boolean): unknown[] {
    if (count === 0) return []
    const values = this.json.length ? this.jsonColumns(cursor, count) : none
    cursor.demand(count * this.stride)
    const { slots, fields } = this
    const parsers = new Array<TypeParser>(slots.length)
    let key = asArrays ? 'a' : 'o'
    for (let column = 0; column < slots.length; column++) {
      const parser = parserOf(slots[column]!.kind, fields[column]!.dataTypeID, source)
      parsers[column] = parser
      key += parser === asText ? 't' : 'p'
    }
    const decode = key === this.lastKey ? this.last! : this.decoder(key, parsers, asArrays)
    return decode(cursor, count, parsers, values)
  }

  /** A reader for one choice of columns that stay text. */
  private decoder(key: string, parsers: TypeParser[], asArrays: boolean): Decode {
    let decode = this.decoders.get(key)
    if (!decode) {
      decode = compile(this.fields, this.slots, this.stride, parsers, asArrays)
      this.decoders.set(key, decode)
    }
    this.lastKey = key
    this.last = decode
    return decode
  }

  private jsonColumns(cursor: Cursor, count: number): unknown[][] {
    const values: unknown[][] = []
    const { words, position } = cursor
    for (const column of this.json) {
      cursor.demand(1)
      const parts = words[cursor.position++]!
      cursor.demand(parts)
      for (let part = 0; part < parts; part++) {
        const parsed = JSON.parse(cursor.text(words[cursor.position++]!)) as unknown[]
        const before = values[column]
        if (!before) values[column] = parsed
        else for (const value of parsed) before.push(value)
      }
      if (values[column]?.length !== count) throw unreadable()
    }
    cursor.position += (cursor.position - position) & 1
    return values
  }
}

const none: unknown[][] = []
const noParser: TypeParser = (value: unknown) => value

/** The parser of a column that crosses as text; those that cross as numbers need none. */
function parserOf(kind: Kind, type: number, source: TypeSource): TypeParser {
  if (kind === Kind.Text) return source.getTypeParser(type, 'text')
  if (kind !== Kind.Bytes) return noParser
  const parse = source.getTypeParser(type, 'binary')
  return (bytes: string) => parse(Buffer.from(bytes, 'latin1'))
}

/** Beyond this many columns a generated function is larger than it is worth. */
const MAX_GENERATED = 128

/** A function that reads rows of one shape: generated, so that V8 sees rows of one hidden class. */
function compile(fields: Field[], slots: Slot[], stride: number, parsers: TypeParser[], asArrays: boolean): Decode {
  if (fields.length <= MAX_GENERATED) {
    try {
      return generate(fields, slots, stride, parsers, asArrays)
    } catch {
      // --disallow-code-generation-from-strings: the loop does the same, slower.
    }
  }
  return loop(fields, slots, stride, asArrays)
}

/**
 * Column names enter as JSON strings: data, whatever they contain. In a literal only the key `__proto__` means something else, unless it
 * is computed; computed keys are slow, so only it is.
 */
function generate(fields: Field[], slots: Slot[], stride: number, parsers: TypeParser[], asArrays: boolean): Decode {
  const values = slots.map(({ kind, offset }, i) => {
    const word = `w[p+${offset}]`
    const double = `d[q+${offset}]`
    switch (kind) {
      case Kind.Int:
        return `let v${i}=${word};if(v${i}===${NULL_WORD})v${i}=null;`
      case Kind.Bool:
        return `let v${i}=${word};v${i}=v${i}===${NULL_WORD}?null:v${i}===1;`
      case Kind.Double:
        return `let v${i}=${double};if(v${i}!==v${i})v${i}=null;`
      case Kind.Timestamp:
        return `let v${i}=${double};v${i}=v${i}!==v${i}?null:new Date(v${i});`
      case Kind.Json:
        return `const v${i}=j${i}[r];`
      default: {
        const parsed = (text: string): string => (parsers[i] === asText ? text : `f${i}(${text})`)
        const next = parsed(`s.substring(t,t+=n${i})`)
        return `let v${i}=null;const n${i}=${word};if(n${i}>0){if(t===s.length){s=c.turn();t=0}v${i}=${next}}else if(n${i}===0)v${i}=${parsed("''")};`
      }
    }
  })
  const given = slots.map(({ kind }, i) => (kind === Kind.Json ? `const j${i}=g[${i}];` : `const f${i}=f[${i}];`)).join('')
  const keyOf = (name: string): string => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name))
  const cells = fields.map(({ name }, i) => (asArrays ? `v${i}` : `${keyOf(name)}:v${i}`)).join(',')
  const row = asArrays ? `[${cells}]` : `{${cells}}`
  return new Function(
    'c',
    'n',
    'f',
    'g',
    `const w=c.words,d=c.doubles,rows=new Array(n);let p=c.position,s=c.chunk,t=c.at;${given}` +
      `for(let r=0;r<n;r++){const q=p>>1;${values.join('')}rows[r]=${row};p+=${stride}}` +
      'if(t>s.length)throw c.unreadable();c.position=p;c.at=t;return rows',
  ) as Decode
}

function loop(fields: Field[], slots: Slot[], stride: number, asArrays: boolean): Decode {
  // A spread defines properties where an assignment would set a prototype.
  const empty = Object.create(null) as Record<string, unknown>
  for (const { name } of fields) empty[name] = null
  return (cursor, count, parsers, values) => {
    const rows = new Array<unknown>(count)
    for (let row = 0; row < count; row++) {
      const cells = slots.map((slot, column) =>
        slot.kind === Kind.Json ? values[column]![row] : cell(cursor, slot, parsers[column]!),
      )
      cursor.position += stride
      if (asArrays) {
        rows[row] = cells
      } else {
        const object: Record<string, unknown> = { ...empty }
        for (let column = 0; column < cells.length; column++) object[fields[column]!.name] = cells[column]
        rows[row] = object
      }
    }
    return rows
  }
}

function cell(cursor: Cursor, { kind, offset }: Slot, parser: TypeParser): unknown {
  if (kind === Kind.Double || kind === Kind.Timestamp) {
    const double = cursor.doubles[(cursor.position >> 1) + offset]!
    if (Number.isNaN(double)) return null
    return kind === Kind.Timestamp ? new Date(double) : double
  }
  const word = cursor.words[cursor.position + offset]!
  if (kind === Kind.Int) return word === NULL_WORD ? null : word
  if (kind === Kind.Bool) return word === NULL_WORD ? null : word === 1
  return word < 0 ? null : parser(cursor.text(word))
}
