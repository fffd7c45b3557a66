/** Flags that say which database and who asks, for commands that need a token or a connection. Everything can come from variables instead. */

import type { Command } from 'commander'
import type { AuthType } from '../config/options.js'
import type { LakebasePoolOptions } from '../lakebase-options.js'

export interface ConnectionFlags {
  profile?: string
  authType?: AuthType
  databricksHost?: string
  endpoint?: string
  instance?: string
  host?: string
  port?: string
  database?: string
  user?: string
}

/** Adds flags for the identity: what the workspace API needs. */
export function addIdentityFlags(command: Command): Command {
  return command
    .option('--profile <name>', 'profile of ~/.databrickscfg (DATABRICKS_CONFIG_PROFILE)')
    .option('--auth-type <name>', 'the one way to authenticate to use (DATABRICKS_AUTH_TYPE)')
    .option('--databricks-host <url>', "the workspace's URL (DATABRICKS_HOST)")
}

/** Adds flags for the identity and for what a token is for. */
export function addTokenFlags(command: Command): Command {
  return addIdentityFlags(command)
    .option('--endpoint <name>', 'projects/…/branches/…/endpoints/… (LAKEBASE_ENDPOINT)')
    .option('--instance <name>', 'a Provisioned instance (LAKEBASE_INSTANCE_NAME)')
}

/** Adds flags for the identity, the token and the connection. */
export function addConnectionFlags(command: Command): Command {
  return addTokenFlags(command)
    .option('--host <name>', 'host of the database (PGHOST; looked up)')
    .option('--port <number>', 'port of the database (PGPORT; 5432)')
    .option('--database <name>', 'name of the database (PGDATABASE; looked up)')
    .option('--user <name>', 'the PostgreSQL role (PGUSER; looked up)')
}

/** The flags as options of the core; what is not given is not there. */
export function connectionOptions(flags: ConnectionFlags): LakebasePoolOptions {
  const { profile, authType, databricksHost, endpoint, instance: instanceName, host, port, database, user } = flags
  const options = { profile, authType, databricksHost, endpoint, instanceName, host, port, database, user }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
