/** What the callers do: write, read back, and now and then move something in a transaction. */

/**
 * @param {import('lakebase-native').LakebasePool} pool
 * @param {import('./meter.mjs').Meter} meter
 * @param {{ callers: number, seconds: number }} load
 */
export async function work(pool, meter, { callers, seconds }) {
  const end = Date.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: callers }, async (_, sensor) => {
      for (let turn = 0; Date.now() < end; turn++) {
        await (turn % 20 === 19 ? transfer(pool, meter, sensor) : writeAndRead(pool, meter, sensor))
        // Callers think for a moment now and then.
        if (turn % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 5 + (sensor % 7)))
      }
    }),
  )
}

async function writeAndRead(pool, meter, sensor) {
  const written = await meter.time(() =>
    pool.query('insert into reading (sensor, value) values ($1, $2) returning id', [sensor, sensor * 1.5]),
  )
  if (!written.rows) return
  meter.written++
  const { id } = written.rows[0]
  const read = await meter.time(() => pool.query('select sensor, value from reading where id = $1', [id]))
  if (!read.rows) return
  if (read.rows[0]?.sensor === sensor) meter.read++
  else meter.wrong++
}

async function transfer(pool, meter, sensor) {
  const moved = await meter.time(() =>
    pool.transaction(async (client) => {
      await client.query('insert into reading (sensor, value) values ($1, $2)', [sensor, -1])
      await client.query('insert into reading (sensor, value) values ($1, $2)', [sensor, 1])
      return true
    }),
  )
  if (moved !== true) return
  meter.transactions++
  meter.written += 2
}
