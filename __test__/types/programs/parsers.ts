// Parsers of a program's own: for the process, for a client, for one query.
import pg, { Client, Pool, TypeOverrides, types, type CustomTypesConfig } from 'pg'

types.setTypeParser(types.builtins.INT8, (value) => BigInt(value))
types.setTypeParser(types.builtins.NUMERIC, Number.parseFloat)
types.setTypeParser(1114, 'text', (value: string) => new Date(`${value}Z`))
types.setTypeParser(pg.types.builtins.DATE, (value: string) => value)
export const parsed: Date = types.getTypeParser(types.builtins.TIMESTAMPTZ, 'text')('2020-01-01 00:00:00+00')
export const list: number[] = types.arrayParser('{1,2}', Number)

const custom: CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (oid === types.builtins.JSONB) return (value: string) => ({ json: value })
    return types.getTypeParser(oid, format)
  },
}

class Overrides extends TypeOverrides implements CustomTypesConfig {}

const overrides = new Overrides()
overrides.setTypeParser(types.builtins.INT4, (value) => value.length)
overrides.setTypeParser<Date>(1184, 'text', (value) => new Date(value))
overrides.setTypeParser(17, 'binary', (value) => value.byteLength)

export const pool = new Pool({ types: overrides })
export const client = new Client({ types: custom })
client.setTypeParser(20, Number)
client.setTypeParser(20, 'text', (value) => Number(value))
export const number: number = client.getTypeParser(20)('1')

export async function raw(): Promise<string[]> {
  const asText: CustomTypesConfig = { getTypeParser: () => (value: string) => value }
  const { rows } = await pool.query<{ at: string }>({ text: 'select now() as at', types: asText })
  await pool.query({ text: 'select $1::int8', values: [1n], types: { getTypeParser: () => String } })
  return rows.map(({ at }) => at)
}

pg.defaults.parseInt8 = true
pg.defaults.parseInputDatesAsUTC = true
pg.defaults.binary = false
pg.defaults.poolSize = 3
pg.defaults.user = process.env.SOME_USER
pg.defaults.ssl = { rejectUnauthorized: false }
