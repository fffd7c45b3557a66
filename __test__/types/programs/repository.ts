// An application's repository over a pool that it is given, and a health check.
import { Pool, type QueryResult } from 'pg'

interface User {
  id: number
  email: string
  created_at: Date
  profile: { name?: string } | null
}

export class UserRepository {
  constructor(private readonly pool: Pool) {}

  async find(id: number): Promise<User | undefined> {
    const { rows } = await this.pool.query<User>('select * from users where id = $1', [id])
    return rows[0]
  }

  async list(limit = 20, after?: Date): Promise<User[]> {
    const result: QueryResult<User> = await this.pool.query<User>({
      name: 'list-users',
      text: 'select * from users where created_at > $1 limit $2',
      values: [after ?? null, limit],
    })
    return result.rows
  }

  async emails(): Promise<string[]> {
    const { rows } = await this.pool.query<Pick<User, 'email'>>('select email from users')
    return rows.map(({ email }) => email)
  }

  /** Without a row type, rows are `any`. */
  async count(): Promise<number> {
    const { rows } = await this.pool.query('select count(*)::int as n from users')
    return rows[0].n
  }

  async rename(id: number, name: string): Promise<boolean> {
    const { rowCount } = await this.pool.query('update users set name = $2 where id = $1', [id, name])
    return (rowCount ?? 0) > 0
  }

  async columns(): Promise<Map<string, number>> {
    const { fields } = await this.pool.query('select * from users limit 0')
    return new Map(fields.map((field) => [field.name, field.dataTypeID]))
  }
}

export async function health(pool: Pool): Promise<{ ok: boolean; total: number; idle: number; waiting: number }> {
  const { totalCount: total, idleCount: idle, waitingCount: waiting } = pool
  const { command } = await pool.query('select 1')
  return { ok: command.toUpperCase() === 'SELECT' && !pool.ended, total, idle, waiting }
}

const pool = new Pool({ max: 5, application_name: 'users', statement_timeout: 5_000, allowExitOnIdle: true })
pool.on('error', (error, client) => {
  console.error(error.message, client.host)
})
pool.on('connect', (client) => {
  void client.query('set search_path to app')
})
pool.on('acquire', (client) => console.log(client.port)).on('remove', () => {})
pool.on('release', (error) => console.log(error))
pool.once('connect', (client) => console.log(client))
export const users = new UserRepository(pool)
