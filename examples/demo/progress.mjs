// How it is going: one line that is written over on a terminal, a line every few seconds elsewhere.
const EVERY_MILLIS = process.stdout.isTTY ? 200 : 3_000

export function showProgress(app, emulator, { seconds }) {
  const began = Date.now()
  let latest = { queries: 0, transactions: 0, failed: 0 }
  app.events.on('progress', (progress) => (latest = progress))
  const show = () => {
    const { queries, transactions, failed } = latest
    const { api, connections } = emulator.counts
    const line = [
      `${Math.min(seconds, Math.round((Date.now() - began) / 1000))} of ${seconds} s`,
      `${queries.toLocaleString('en')} queries`,
      `${transactions.toLocaleString('en')} transactions`,
      `tokens: ${api['/api/2.0/postgres/credentials'] ?? 0}`,
      `connections: ${connections.database.opened}`,
      `failed: ${failed}`,
    ].join(' · ')
    if (process.stdout.isTTY) process.stdout.write(`\r  ${line}\x1b[K`)
    else console.log(`  ${line}`)
  }
  const timer = setInterval(show, EVERY_MILLIS)
  return {
    stop: () => {
      clearInterval(timer)
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
    },
  }
}
