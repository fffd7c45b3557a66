// Drizzle as it is installed here, twice: 0.45 and the release candidate of 1.0, each with its driver for node-postgres and with ours.
import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)

async function load(package_, suffix) {
  const from = (path) => import(`${package_}${path}`)
  const ours = (path) => import(`lakebase-native/drizzle${path}${suffix}`)
  return {
    orm: await from(''),
    core: await from('/pg-core'),
    relations: await from('/relations'),
    cache: await from('/cache/core'),
    drivers: {
      theirs: { ...(await from('/node-postgres')), ...(await from('/node-postgres/migrator')) },
      ours: { ...(await ours('')), ...(await ours('/migrator')) },
    },
  }
}

export const versions = { '0.45': await load('drizzle-orm', ''), '1.0': await load('drizzle-orm-rc', '?1.0') }
