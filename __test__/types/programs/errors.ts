// What PostgreSQL refuses, told apart by code.
import pg, { DatabaseError, type Pool } from 'pg'

export class Conflict extends Error {}

export async function insert(pool: Pool, email: string): Promise<number> {
  try {
    const { rows } = await pool.query<{ id: number }>('insert into users (email) values ($1) returning id', [email])
    return rows[0]?.id ?? 0
  } catch (error: unknown) {
    if (error instanceof DatabaseError) {
      const { code, constraint, detail, table, severity, position } = error
      if (code === '23505') throw new Conflict(`${table}.${constraint}: ${detail}`)
      console.error(severity, position, error.length.toFixed(), error.name)
    }
    throw error
  }
}

export const isRetryable = (error: unknown): boolean => error instanceof pg.DatabaseError && ['40001', '40P01'].includes(error.code ?? '')

export function told(error: pg.DatabaseError): string | undefined {
  return error.hint ?? error.where ?? error.schema ?? error.column ?? error.dataType ?? error.routine
}
