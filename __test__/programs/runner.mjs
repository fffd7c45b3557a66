// Runs a planned program on a pool and tells what each call gave.

const UNANSWERED_MILLIS = Number(process.env.PROGRAMS_UNANSWERED_MILLIS ?? 20_000)

/** Resolves with the outcomes of each lane, in the order of its calls. */
export async function run(lanes, pool, ordered) {
  pool.on('error', () => {})
  const outcomes = await Promise.all(lanes.map((lane) => runLane(lane, pool, ordered)))
  const ended = await bounded(pool.end().then(() => 'ended', (error) => `end failed: ${error.message}`))
  return { outcomes, ended }
}

async function runLane(steps, pool, ordered) {
  const outcomes = []
  const pending = []
  const issue = (queryable, call, lost) => {
    const entry = { call: call.text, outcome: undefined }
    outcomes.push(entry)
    const settled = bounded(answer(queryable, call)).then((outcome) => {
      entry.outcome = lost ? withoutLoss(outcome) : outcome
    })
    pending.push(settled)
    return settled
  }
  const barrier = () => Promise.all(pending.splice(0))

  for (const step of steps) {
    if (!ordered && !step.commutes) await barrier()
    if (!step.hold) {
      const settled = step.calls.map((call) => issue(pool, call, step.lost))
      if (step.wait) await Promise.all(settled)
      continue
    }
    const client = await bounded(pool.connect().catch((error) => describe(error)))
    if (typeof client?.query !== 'function') {
      outcomes.push({ call: 'connect', outcome: client })
      continue
    }
    client.on('error', ignore)
    let lost = false
    const own = []
    const ask = (call) => {
      const settled = issue(client, call, lost)
      own.push(settled)
      return settled
    }
    if (step.begin) void ask({ text: step.begin })
    for (const item of step.hold) {
      // From then on it depends on the moment how a call fails.
      lost ||= item.on === 'client' && item.lost
      const settled = item.calls.map((call) => (item.on === 'pool' ? issue(pool, call, false) : ask(call)))
      if (item.wait) await Promise.all(settled)
    }
    if (step.begin) void ask({ text: step.end })
    for (const text of step.tidy) void ask({ text })
    await Promise.all(own)
    client.off('error', ignore)
    client.release(step.destroy || lost)
  }
  await barrier()
  return outcomes
}

function ignore() {}

async function bounded(promise) {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve('unanswered'), UNANSWERED_MILLIS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

async function answer(queryable, { form, text, values, name }) {
  try {
    if (form === 'callback') {
      return await new Promise((resolve) => {
        queryable.query(text, values, (error, result) => resolve(error ? describe(error) : plain(result)))
      })
    }
    if (form === 'array') return plain(await queryable.query({ text, values, rowMode: 'array' }))
    if (form === 'named') return plain(await queryable.query({ name, text, values }))
    if (form === 'extended') return plain(await queryable.query({ text, values, queryMode: 'extended' }))
    return plain(await queryable.query(text, values))
  } catch (error) {
    return describe(error)
  }
}

function plain(result) {
  if (Array.isArray(result)) return result.map(plain)
  return {
    command: result.command,
    rowCount: result.rowCount,
    rows: result.rows,
    fields: result.fields.map(({ name, dataTypeID, tableID, columnID, dataTypeModifier, format }) => ({ name, dataTypeID, table: tableID > 0, columnID, dataTypeModifier, format })),
  }
}

/** Not `routine`: a statement that is there already fails where it is bound, another where it is parsed. */
function describe(error) {
  const { code, message, severity, detail, hint, position, where, table, column, constraint } = error
  if (!/^[0-9A-Z]{5}$/.test(code ?? '')) return { error: code ?? null, message }
  return { error: code, message, severity, detail, hint, position, where, table, column, constraint }
}

/** How a call fails on a connection that is being lost depends on how much of its end has arrived. */
function withoutLoss(outcome) {
  const { error, message } = outcome
  const lost = error !== undefined && (/^(57P01|08...)$/.test(error ?? '') || /terminat|closed|lost|ended|ECONNRESET|EPIPE|not queryable/i.test(message))
  return lost ? 'the connection was lost' : outcome
}
