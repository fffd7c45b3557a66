// pg-boss, as it is installed, on the package `pg`.
import { endConnections, onBothPackages } from '../support/both-packages.mjs'

const same = await onBothPackages('pg-boss')

const start = async ({ require, config }, options = {}) => {
  const PgBoss = require('pg-boss')
  const boss = new PgBoss({ ...config, max: 3, supervise: false, schedule: false, ...options })
  const errors = []
  boss.on('error', (error) => errors.push(error.code ?? error.message))
  await boss.start()
  return { boss, errors }
}

same('a job is sent, fetched and completed', async (side) => {
  const { boss, errors } = await start(side)
  await boss.createQueue('mail')
  const id = await boss.send('mail', { to: 'Ada' }, { priority: 1 })
  await boss.send('mail', { to: 'Grace' })
  const [job] = await boss.fetch('mail')
  await boss.complete('mail', job.id, { sent: true })
  const done = await boss.getJobById('mail', id)
  const size = await boss.getQueueSize('mail')
  await boss.stop({ graceful: false, wait: true })
  return { first: job.id === id, data: job.data, state: done.state, output: done.output, size, errors }
})

same('a worker takes jobs, one that fails is retried', async (side) => {
  const { boss, errors } = await start(side)
  await boss.createQueue('count')
  const seen = []
  const finished = new Promise((resolve) => {
    boss.work('count', { pollingIntervalSeconds: 0.5 }, async ([job]) => {
      seen.push(job.data.n)
      if (seen.length === 1) throw new Error('once')
      if (seen.length === 3) resolve()
    })
  })
  await boss.send('count', { n: 1 }, { retryLimit: 1, retryDelay: 0 })
  await boss.send('count', { n: 2 })
  await finished
  await boss.stop({ graceful: true, wait: true })
  return { seen: seen.sort(), errors }
})

same('a server that ends its connections: error events, and it goes on', async (side) => {
  const { boss, errors } = await start(side)
  await boss.createQueue('mail')
  const told = new Promise((resolve) => boss.once('error', resolve))
  await endConnections(side.admin)
  await told
  await boss.send('mail', { to: 'Ada' })
  const jobs = await boss.fetch('mail')
  await boss.stop({ graceful: false, wait: true })
  return { kinds: [...new Set(errors)], data: jobs.map(({ data }) => data) }
})
