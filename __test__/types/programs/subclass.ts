// Classes derived from the package's own, and a pool that uses such a client.
import { Client, Pool, type ClientConfig, type PoolClient, type PoolConfig, type PoolOptions, type QueryConfig } from 'pg'

export class TracedClient extends Client {
  readonly queries: string[] = []

  constructor(config?: string | ClientConfig) {
    super(config)
    this.on('end', () => console.log(this.queries))
  }

  override query(...args: any[]): any {
    this.queries.push(typeof args[0] === 'string' ? args[0] : (args[0] as QueryConfig).text)
    return (super.query as (...args: any[]) => any).apply(this, args)
  }
}

export class TenantPool extends Pool {
  constructor(
    private readonly tenant: string,
    config: PoolConfig = {},
  ) {
    super({ ...config, Client: TracedClient, log: (...messages) => console.log(tenant, ...messages) })
    this.on('connect', (client) => void client.query(`set app.tenant = ${client.escapeLiteral(tenant)}`))
  }

  override connect(): Promise<PoolClient>
  override connect(callback: (err: Error | undefined, client: PoolClient | undefined, done: (release?: any) => void) => void): void
  override connect(callback?: (err: Error | undefined, client: PoolClient | undefined, done: (release?: any) => void) => void): any {
    console.log('connecting', this.tenant, this.options.max.toFixed())
    return callback ? super.connect(callback) : super.connect()
  }

  override async end(): Promise<void> {
    await super.end()
  }

  get settings(): PoolOptions {
    return this.options
  }
}

export const pool: Pool = new TenantPool('acme', {
  max: 2,
  min: 1,
  maxUses: 100,
  maxLifetimeSeconds: 60,
  verify: (client, done) => {
    client.query('select 1', (error) => done(error))
  },
  onConnect: async (client) => {
    await client.query('select 1')
  },
})
export const copy = new Pool(pool.options)
