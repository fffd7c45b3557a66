// A worker that waits for NOTIFY, and connects again when its connection is lost.
import { Client, type ClientConfig, type Notification } from 'pg'

export class Listener {
  private client: Client | undefined

  constructor(
    private readonly config: ClientConfig | string,
    private readonly channels: readonly string[],
    private readonly onPayload: (channel: string, payload: unknown) => void,
  ) {}

  async start(): Promise<void> {
    const client = new Client(this.config)
    this.client = client
    client.on('notification', this.handle)
    client.on('notification', ({ processId, channel, payload = '' }) => console.log(processId.toFixed(), channel.length, payload.length))
    client.on('notice', (notice) => console.warn(notice.severity, notice.message, notice.code))
    client.on('error', (error: Error) => console.error(error.stack))
    client.on('end', () => void this.start())
    client.on('drain', () => {}).on('connect', () => {})
    await client.connect()
    for (const channel of this.channels) await client.query(`listen ${client.escapeIdentifier(channel)}`)
  }

  private readonly handle = (message: Notification): void => {
    this.onPayload(message.channel, message.payload === undefined ? undefined : JSON.parse(message.payload))
  }

  async stop(): Promise<void> {
    this.client?.removeAllListeners('end')
    await this.client?.end()
  }
}

export async function notify(client: Client, channel: string, payload: object): Promise<void> {
  await client.query('select pg_notify($1, $2)', [channel, JSON.stringify(payload)])
  await client.query(`notify ${client.escapeIdentifier(channel)}, ${client.escapeLiteral('again')}`)
}
