/** `lakebase-native/drizzle`: a Drizzle driver on this package's pools, for drizzle-orm 0.45 and 1.0. */

import { readArguments, type LakebaseClient } from './client.js'
import { isVersion1 } from './orm.js'
import * as version0 from './version-0.js'
import * as version1 from './version-1.js'

const version = isVersion1 ? version1 : version0
const construct = version.construct as (client: LakebaseClient, config?: object) => object

export const { LakebaseDatabase, LakebaseTransaction } = version

export function drizzle(...args: Parameters<typeof readArguments>): object {
  const { client, config } = readArguments(args)
  return construct(client, config)
}

drizzle.mock = (config?: object): object => construct({} as LakebaseClient, config)
