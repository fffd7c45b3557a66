/** The variables of a database and of the identity that uses it. */

import { native } from '../../native.js'
import type { LakebasePoolOptions } from '../../lakebase-options.js'
import { connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { exitCodes, Failure } from '../failure.js'
import { isInteractive } from '../output.js'
import { parseVariables } from '../variables-file.js'
import { describeIdentity, me, type DescribedIdentity, type WorkspaceOptions } from '../workspace.js'
import { profileNames } from './profiles.js'
import { chooseTarget, type TargetFlags } from './target.js'

export interface Gathered {
  variables: Record<string, string>
  /** Those of them that may be shown. */
  open: Record<string, string>
  /** The variable of the other kind of database: both at once are a conflict. */
  unset: string
  /** Secrets of the identity that are set in the environment and were not asked to be written. */
  keptOut: string[]
}

export async function gatherVariables(flags: ConnectionFlags & TargetFlags & { withSecrets?: true }): Promise<Gathered> {
  const { profile: wanted, authType, databricksHost } = connectionOptions(flags)
  const options = withoutUndefined({ profile: wanted, authType, databricksHost })
  const identity = await identityOf(options)
  const { body } = await me(options)
  const user = flags.user ?? body.userName
  if (!user) throw new Failure('the workspace does not tell the name of this identity', { exitCode: exitCodes.configuration, hint: 'give it with --user' })
  const target = await chooseTarget(options, flags)
  const { secret, open } = identityVariables(identity)
  const profile = options.profile ?? process.env['DATABRICKS_CONFIG_PROFILE']
  const port = process.env['PGPORT']
  const variables = {
    DATABRICKS_HOST: identity.workspaceUrl,
    ...(profile && { DATABRICKS_CONFIG_PROFILE: profile }),
    ...(authType && { DATABRICKS_AUTH_TYPE: authType }),
    ...open,
    ...(flags.withSecrets && secret),
    [target.variable]: target.name,
    PGHOST: target.host,
    ...(port && port !== '5432' && { PGPORT: port }),
    PGDATABASE: target.database,
    PGUSER: user,
    PGSSLMODE: 'require',
  }
  return {
    variables,
    open: Object.fromEntries(Object.entries(variables).filter(([name]) => !(name in secret))),
    unset: target.variable === 'LAKEBASE_ENDPOINT' ? 'LAKEBASE_INSTANCE_NAME' : 'LAKEBASE_ENDPOINT',
    keptOut: flags.withSecrets ? [] : Object.keys(secret),
  }
}

/** The identity; where none is set up and a person is there, one of the profiles, which `options` then names. */
async function identityOf(options: WorkspaceOptions & LakebasePoolOptions): Promise<DescribedIdentity> {
  try {
    return describeIdentity(options)
  } catch (error) {
    const profiles = options.profile === undefined && isInteractive() ? profileNames() : []
    if (profiles.length === 0) {
      throw Object.assign(error as Error, { hint: 'log in with: databricks auth login --host https://… and name the profile with --profile; or set DATABRICKS_HOST, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET' })
    }
    const { select } = require('../prompts.js') as typeof import('../prompts.js')
    options.profile = await select('Which profile of ~/.databrickscfg?', profiles.map((name) => ({ value: name, label: name })), undefined)
    return describeIdentity(options)
  }
}

/** The variables that gave the identity, from options such as `clientId (DATABRICKS_CLIENT_ID)`. */
function identityVariables({ given }: DescribedIdentity): { secret: Record<string, string>; open: Record<string, string> } {
  const secrets = new Set(native.secretOptions())
  const [secret, open]: Record<string, string>[] = [{}, {}]
  for (const setting of given) {
    const [, option, names] = /^(\w+) \(([A-Z_, ]+)\)$/.exec(setting) ?? []
    const name = names?.split(', ').find((variable) => process.env[variable])
    if (name !== undefined) (secrets.has(option!) ? secret : open)![name] = process.env[name]!
  }
  return { secret: secret!, open: open! }
}

const PLACEHOLDERS: Record<string, string> = {
  DATABRICKS_HOST: 'https://my-workspace.cloud.databricks.com',
  LAKEBASE_ENDPOINT: 'projects/my-project/branches/production/endpoints/primary',
  LAKEBASE_INSTANCE_NAME: 'my-instance',
  PGHOST: 'my-endpoint.database.cloud.databricks.com',
  PGDATABASE: 'databricks_postgres',
  PGUSER: 'me@example.com',
  PGSSLMODE: 'require',
}

/** The text with the names that it lacks, for everybody who works on the app: no value of this machine. */
export function exampleText(text: string, names: readonly string[]): string {
  const present = parseVariables(text)
  const missing = names.filter((name) => !present.has(name) && name !== 'PGPORT')
  if (missing.length === 0) return text
  const start = text === '' ? '' : text.endsWith('\n') ? `${text}\n` : `${text}\n\n`
  const lines = missing.map((name) => `${name}=${PLACEHOLDERS[name] ?? ''}\n`)
  return `${start}# Lakebase. npx lakebase init writes .env.local.\n${lines.join('')}`
}

function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
