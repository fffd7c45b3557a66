/** Makes row objects from batches: the only place that does. The layout is documented in src/batch/mod.rs. */

import type { TypeParser, TypeSource } from './types.js'

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

/** How a column crosses: `Kind` in src/batch/columns.rs. */
const enum Kind {
  Text = 0,
  Int = 1,
  Bool = 2,
  Double = 3,
  Timestamp = 4,
  Bytes = 5,
}

const NULL_WORD = -2147483648

/** Where in a batch we are. */
export class Cursor {
  words: Int32Array
  doubles: Float64Array
  position = 0
  private chunks: string[] = []
  private next = 0
  chunk = ''
  at = 0

  constructor(words: Int32Array) {
    this.words = words
    this.doubles = new Float64Array(words.buffer, words.byteOffset, words.length >> 1)
  }

  start(chunks: string[], position: number): void {
    this.position = position
    this.chunks = chunks
    this.chunk = chunks[0] ?? ''
    this.next = 1
    this.at = 0
  }

  /** The next chunk, when the text goes on behind the end of this one. */
  turn(): string {
    this.chunk = this.chunks[this.next++] ?? ''
    this.at = 0
    return this.chunk
  }

  text(length: number): string {
    if (length === 0) return ''
    if (this.at === this.chunk.length) this.turn()
    const begin = this.at
    this.at += length
    return this.chunk.substring(begin, this.at)
  }

  /** To return to when a parser throws in the middle of a result. */
  mark(): () => void {
    const { position, next, chunk, at } = this
    return () => Object.assign(this, { position, next, chunk, at })
  }
}

interface Slot {
  kind: Kind
  /** In words from the row's start; for doubles, in doubles. */
  offset: number
}

type Decode = (cursor: Cursor, count: number, parsers: TypeParser[]) => unknown[]

/** The columns of a result and how to read its rows. One per shape that Rust has announced. */
export class Shape {
  readonly fields: Field[]
  private readonly slots: Slot[]
  private readonly stride: number
  private objects?: Decode
  private arrays?: Decode

  constructor(fields: [string, number, number, number, number, number, boolean][], kinds: Kind[]) {
    this.fields = fields.map(
      ([name, table, column, type, size, modifier, binary]) =>
        new Field(name, table, column, type, size, modifier, binary ? 'binary' : 'text'),
    )
    const isDouble = (kind: Kind) => kind === Kind.Double || kind === Kind.Timestamp
    let double = 0
    let word = kinds.filter(isDouble).length * 2
    this.slots = kinds.map((kind) => ({ kind, offset: isDouble(kind) ? double++ : word++ }))
    this.stride = (word + 1) & ~1
  }

  /** Takes `count` rows from the batch. A parser's exception leaves the cursor behind the rows. */
  decode(cursor: Cursor, count: number, source: TypeSource, asArrays: boolean): unknown[] {
    const decode = asArrays
      ? (this.arrays ??= compile(this.fields, this.slots, this.stride, true))
      : (this.objects ??= compile(this.fields, this.slots, this.stride, false))
    const parsers = this.parsers(source)
    const back = cursor.mark()
    try {
      return decode(cursor, count, parsers)
    } catch (error) {
      back()
      this.skip(cursor, count)
      throw error
    }
  }

  /** Moves the cursor behind `count` rows without making them. */
  skip(cursor: Cursor, count: number): void {
    for (let row = 0; row < count; row++) {
      for (const { kind, offset } of this.slots) {
        if (kind === Kind.Text || kind === Kind.Bytes) cursor.text(Math.max(0, cursor.words[cursor.position + offset] ?? 0))
      }
      cursor.position += this.stride
    }
  }

  /** A parser per column; those that cross as numbers need none. */
  private parsers(source: TypeSource): TypeParser[] {
    const { slots } = this
    return this.fields.map((field, column) => {
      const kind = slots[column]!.kind
      if (kind === Kind.Text) return source.getTypeParser(field.dataTypeID, 'text')
      if (kind !== Kind.Bytes) return noParser
      const parse = source.getTypeParser(field.dataTypeID, 'binary')
      return (hex: string) => parse(Buffer.from(hex, 'hex'))
    })
  }
}

const noParser: TypeParser = (value) => value

/** Beyond this many columns a generated function is larger than it is worth. */
const MAX_GENERATED = 128

/** A function that reads rows of one shape: generated, so that V8 sees rows of one hidden class. */
function compile(fields: Field[], slots: Slot[], stride: number, asArrays: boolean): Decode {
  if (fields.length <= MAX_GENERATED) {
    try {
      return generate(fields, slots, stride, asArrays)
    } catch {
      // --disallow-code-generation-from-strings: the loop does the same, slower.
    }
  }
  return loop(fields, slots, stride, asArrays)
}

/** Column names enter as JSON strings in computed keys: data, whatever they contain, `__proto__` included. */
function generate(fields: Field[], slots: Slot[], stride: number, asArrays: boolean): Decode {
  const values = slots.map(({ kind, offset }, i) => {
    const word = `w[p+${offset}]`
    const double = `d[(p>>1)+${offset}]`
    switch (kind) {
      case Kind.Int:
        return `let v${i}=${word};if(v${i}===${NULL_WORD})v${i}=null;`
      case Kind.Bool:
        return `let v${i}=${word};v${i}=v${i}===${NULL_WORD}?null:v${i}===1;`
      case Kind.Double:
        return `let v${i}=${double};if(v${i}!==v${i})v${i}=null;`
      case Kind.Timestamp:
        return `let v${i}=${double};v${i}=v${i}!==v${i}?null:new Date(v${i});`
      default:
        return (
          `let v${i}=null,n${i}=${word};` +
          `if(n${i}>0){if(t===s.length){s=c.turn();t=0}v${i}=f${i}(s.substring(t,t+=n${i}))}else if(n${i}===0)v${i}=f${i}('');`
        )
    }
  })
  const parsers = slots.map((_, i) => `const f${i}=f[${i}];`).join('')
  const cells = fields.map(({ name }, i) => (asArrays ? `v${i}` : `[${JSON.stringify(name)}]:v${i}`)).join(',')
  const row = asArrays ? `[${cells}]` : `{${cells}}`
  return new Function(
    'c',
    'n',
    'f',
    `const w=c.words,d=c.doubles,rows=new Array(n);let p=c.position,s=c.chunk,t=c.at;${parsers}` +
      `for(let r=0;r<n;r++){${values.join('')}rows[r]=${row};p+=${stride}}` +
      'c.position=p;c.at=t;return rows',
  ) as Decode
}

function loop(fields: Field[], slots: Slot[], stride: number, asArrays: boolean): Decode {
  // A spread defines properties where an assignment would set a prototype.
  const empty: Record<string, unknown> = Object.create(null)
  for (const { name } of fields) empty[name] = null
  return (cursor, count, parsers) => {
    const rows = new Array<unknown>(count)
    for (let row = 0; row < count; row++) {
      const cells = slots.map((slot, column) => cell(cursor, slot, parsers[column]!))
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

