/** Slow queries, as PostgreSQL logs them. Their text is as it was sent; parameters are not logged. */

import { ADMINISTRATOR } from '../emulator/administrator.js'

export interface SlowQuery {
  /** Milliseconds since the epoch. */
  at: number
  branch: string
  database: string
  millis: number
  text: string
}

const MAX_TEXT = 2_000

/** Lines of postgresql.conf that have slow queries logged, in the form that `SlowQueryLog` reads. */
export function slowQuerySettings(thresholdMillis: number): Record<string, string | number | boolean> {
  return { log_min_duration_statement: Math.ceil(thresholdMillis), log_parameter_max_length: 0, log_line_prefix: '[%p|%d|%a] ' }
}

/** A statement may span lines: the further ones begin with a tab. */
const FIRST_LINE = /^\[\d+\|(.*?)\|(.*?)\] LOG: +duration: ([\d.]+) ms +(?:statement|execute [^:]*|bind [^:]*|parse [^:]*): (.*)$/

export class SlowQueryLog {
  private readonly open = new Map<string, SlowQuery>()

  constructor(private readonly onQuery: (query: SlowQuery) => void) {}

  /** Takes a line of a branch's log. */
  readonly line = (line: string, branch: string): void => {
    const open = this.open.get(branch)
    if (line.startsWith('\t')) {
      if (open && open.text.length < MAX_TEXT) open.text = `${open.text}\n${line.slice(1)}`.slice(0, MAX_TEXT)
      return
    }
    this.open.delete(branch)
    const [, database, application, millis, text] = FIRST_LINE.exec(line) ?? []
    if (database === undefined || millis === undefined || text === undefined || application === ADMINISTRATOR) return
    // Told at once, and completed by the lines that follow.
    const query = { at: Date.now(), branch, database, millis: Number(millis), text: text.slice(0, MAX_TEXT) }
    this.open.set(branch, query)
    this.onQuery(query)
  }
}
