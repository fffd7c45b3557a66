// Rows as arrays, in every form of call.
import type { Client, Pool, QueryArrayConfig, QueryArrayResult, QueryConfigValues } from 'pg'

export async function pairs(db: Pool | Client): Promise<[number, string][]> {
  const { rows } = await db.query<[number, string]>({ text: 'select id, email from users', rowMode: 'array' })
  return rows
}

export async function table(db: Client, values: unknown[]): Promise<QueryArrayResult> {
  const config: QueryArrayConfig = { text: 'select $1', rowMode: 'array' }
  const result = await db.query(config, values)
  console.log(result.fields.map(({ name, tableID, columnID, dataTypeSize, dataTypeModifier, format }) => [name, tableID, columnID, dataTypeSize, dataTypeModifier, format]))
  for (const [first] of result.rows) console.log(first)
  return result
}

export function withCallback(db: Pool): void {
  db.query<[number]>({ text: 'select 1', rowMode: 'array' }, (error, { rows }) => console.log(error.message, rows[0]?.[0].toFixed()))
}

export type Values = QueryConfigValues<[string, number]>
export const values: Values = ['a', 1]
