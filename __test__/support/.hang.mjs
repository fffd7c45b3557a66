import { startEmulator } from 'lakebase-native/emulator'
import { createLakebasePool, getToken } from 'lakebase-native'
const e = await startEmulator()
Object.assign(process.env, e.env)
let phase, round, pools
const t0 = Date.now()
let last = Date.now()
setInterval(() => {
  if (Date.now() - last < 8000) return
  console.log('STUCK round', round, phase, pools.map((p) => [p.totalCount, p.idleCount, p.waitingCount, p.ended].join('/')).join(' '))
  console.log(JSON.stringify(e.counts))
  process.exit(1)
}, 1000)
for (round = 0; round < 400; round++) {
  last = Date.now()
  process.env.NO_PROXY = `r${round}.invalid`
  phase = 'queries'
  pools = Array.from({ length: 20 }, () => createLakebasePool({ max: 2 }))
  const qs = Array.from({ length: 500 }, (_, i) => pools[i % 20].query('select $1::int as i', [i])); const toks = Array.from({ length: 250 }, (_, i) => [getToken(), pools[i % 20].getToken()]).flat(); await Promise.all(qs)
  phase = 'tokens'; await Promise.all(toks); phase = 'end'
  await Promise.all(pools.map((p) => p.end()))
}
console.log('fine', Date.now() - t0)
await e.stop()
process.exit(0)
