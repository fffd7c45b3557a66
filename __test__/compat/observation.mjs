// Turns anything a driver hands out into text that shows everything a caller could notice, and nothing that must differ
// between two runs: backend pids, secret keys, OIDs of user objects, and names the harness itself made up.

const FIRST_USER_OID = 16384
const OID_KEYS = new Set(['tableID', 'dataTypeID', 'tableoid'])
/** Left over in pg's results, in no documentation and no type; the case about a result's own keys shows them. */
const REMNANTS = new Set(['parseRow', 'RowCtor'])
const PID_KEYS = new Set(['pid', 'pg_backend_pid', 'processID', 'processId'])

/** Gives each distinct value a number, in order of appearance: what is equal stays equal, what differs stays different. */
class Numbering {
  #seen = new Map()
  label(kind, value) {
    if (!this.#seen.has(value)) this.#seen.set(value, this.#seen.size + 1)
    return `<${kind} ${this.#seen.get(value)}>`
  }
}

export class Renderer {
  #driver
  #masks
  #oids = new Numbering()
  #pids = new Numbering()
  #clients = new Numbering()
  #queries = new Numbering()

  /**
   * @param {object} driver the driver whose values are rendered
   * @param {Array<[string, string]>} masks strings to replace, with what to print instead
   */
  constructor(driver, masks = []) {
    this.#driver = driver
    this.#masks = masks
  }

  render(value) {
    return this.#value(value, '', '', [])
  }

  #string(text) {
    for (const [from, to] of this.#masks) text = text.replaceAll(from, to)
    return JSON.stringify(text)
  }

  #isA(value, name) {
    return typeof this.#driver[name] === 'function' && value instanceof this.#driver[name]
  }

  #value(value, key, indent, ancestors) {
    switch (typeof value) {
      case 'undefined':
        return 'undefined'
      case 'boolean':
        return String(value)
      case 'string':
        return this.#string(value)
      case 'bigint':
        return `${value}n`
      case 'symbol':
        return String(value)
      case 'function':
        return `[Function of ${value.length}]`
      case 'number':
        if (OID_KEYS.has(key) && value >= FIRST_USER_OID) return this.#oids.label('oid', value)
        if (PID_KEYS.has(key)) return this.#pids.label('pid', value)
        if (key === 'secretKey') return '<number>'
        return Object.is(value, -0) ? '-0' : String(value)
    }
    if (value === null) return 'null'
    if (ancestors.includes(value)) return '[Circular]'
    if (this.#isA(value, 'Client')) return this.#clients.label('Client', value)
    if (this.#isA(value, 'Pool')) return '<Pool>'
    if (this.#isA(value, 'Query')) return this.#queries.label('Query', value)
    return this.#object(value, indent, [...ancestors, value])
  }

  #object(value, indent, ancestors) {
    if (value instanceof Date) {
      const time = Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
      return this.#properties(`Date(${time})`, value, indent, ancestors)
    }
    if (Buffer.isBuffer(value)) return `Buffer(${value.toString('hex')})`
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')})`
    if (value instanceof Map) return this.#array('Map', [...value], indent, ancestors)
    if (value instanceof Set) return this.#array('Set', [...value], indent, ancestors)
    if (value instanceof Promise) return '[Promise]'
    if (value instanceof Error) return this.#error(value, indent, ancestors)
    if (Array.isArray(value)) return this.#array('', value, indent, ancestors)
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return this.#properties('', value, indent, ancestors)
    if (prototype === null) return this.#properties('[null prototype]', value, indent, ancestors)
    return this.#properties(prototype.constructor?.name ?? '[anonymous]', value, indent, ancestors)
  }

  #error(error, indent, ancestors) {
    const kinds = [error instanceof Error && 'Error', this.#isA(error, 'DatabaseError') && 'DatabaseError'].filter(Boolean)
    const heading = `${error.constructor.name}(${this.#string(error.message)}) name=${error.name} instanceof ${kinds.join(',')}`
    return this.#properties(heading, error, indent, ancestors, error.cause === undefined ? [] : ['cause'])
  }

  #array(heading, items, indent, ancestors) {
    const extra = Object.keys(items).filter((key) => !/^\d+$/.test(key))
    if (items.length === 0 && extra.length === 0) return `${heading}[]`
    const inner = `${indent}  `
    const lines = []
    for (let i = 0; i < items.length; i++) {
      lines.push(inner + (i in items ? this.#value(items[i], '', inner, ancestors) : '<hole>'))
    }
    for (const key of extra) lines.push(`${inner}${JSON.stringify(key)}: ${this.#value(items[key], key, inner, ancestors)}`)
    return `${heading}[\n${lines.join('\n')}\n${indent}]`
  }

  /** Own enumerable properties in their order. On instances of classes a leading underscore means private. */
  #properties(heading, value, indent, ancestors, hidden = []) {
    const isInstance = heading !== '' && heading !== '[null prototype]'
    // By name: pg-cursor brings pg's own class along, whatever the driver.
    const isResult = value.constructor?.name === 'Result'
    const keys = [...Object.keys(value), ...hidden].filter((key) => !(isInstance && key.startsWith('_')) && !(isResult && REMNANTS.has(key)))
    if (keys.length === 0) return heading === '' ? '{}' : isInstance ? heading : `${heading} {}`
    const inner = `${indent}  `
    const lines = keys.map((key) => `${inner}${this.#string(key)}: ${this.#value(value[key], key, inner, ancestors)}`)
    return `${heading === '' ? '' : `${heading} `}{\n${lines.join('\n')}\n${indent}}`
  }
}

const CONTEXT = 3
const MOST_LINES = 60

/** What differs between the two texts, with a little context; `null` when nothing does. */
export function difference(expected, actual) {
  if (expected === actual) return null
  const left = expected.split('\n')
  const right = actual.split('\n')
  let start = 0
  while (start < left.length && start < right.length && left[start] === right[start]) start++
  let end = 0
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end++
  const show = (lines, sign) => {
    const changed = lines.slice(start, lines.length - end)
    const shown = changed.slice(0, MOST_LINES).map((line) => `${sign} ${line}`)
    if (changed.length > MOST_LINES) shown.push(`${sign} … ${changed.length - MOST_LINES} more lines`)
    return shown
  }
  return [
    ...left.slice(Math.max(0, start - CONTEXT), start).map((line) => `  ${line}`),
    ...show(left, '-'),
    ...show(right, '+'),
    ...left.slice(left.length - end, left.length - end + CONTEXT).map((line) => `  ${line}`),
  ].join('\n')
}
