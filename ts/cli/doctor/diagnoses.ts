/** What can be wrong, why that mostly is, and what mends it. */

export interface Diagnosis {
  code: string
  /** The likely cause. */
  cause: string
  /** What to do: a command, where one does it. */
  fix: string
}

/** What causes and fixes speak of. */
export interface Facts {
  /** The server that the step is about, or the database. */
  host: string
  port: number
  /** The database's host, as the workspace says. */
  endpointHost: string
  user: string
  database: string
  endpoint: string
  /** Who the workspace says we are. */
  identity: string
  schema: string
}

type Described = readonly [cause: string | ((facts: Facts) => string), fix: string | ((facts: Facts) => string)]

const described = {
  CONFIGURATION: ['variables are missing or wrong', 'npx lakebase init writes them to .env.local'],
  POOLED_HOST: [
    "PGHOST is the pooled host, which takes PostgreSQL passwords only, no OAuth tokens",
    ({ host }) => `set PGHOST to the direct host: ${host.replace('-pooler', '')}`,
  ],
  DNS: [
    'the name is wrong, or this network does not resolve it: a private link needs its own DNS zone',
    ({ host }) => `nslookup ${host}; compare with the workspace: npx lakebase init --dry-run`,
  ],
  TCP_REFUSED: ['nothing listens there: the port is wrong, or a firewall refuses', ({ host, port }) => `nc -vz ${host} ${port}; check PGPORT and DATABRICKS_HOST, and outbound rules`],
  TCP_TIMEOUT: ['a firewall drops the packets', 'allow outbound TCP to port 5432 (database) and 443 (workspace), or use another network'],
  TLS_UNTRUSTED: [
    'a proxy on the way shows a certificate of its own, or the authority is a private one',
    'set NODE_EXTRA_CA_CERTS (and PGSSLROOTCERT for psql) to the file with its certificate',
  ],
  TLS_EXPIRED: ["the certificate's time is over, or this machine's clock is wrong", 'check the clock (date -u); a proxy on the way must renew its certificate'],
  TLS_EXPIRES_SOON: ['the certificate is about to end', 'whoever runs the server or proxy must renew it'],
  TLS_NAME: ['the certificate is for another host: PGHOST or DATABRICKS_HOST is an alias or an address', 'use the host name that the workspace shows: npx lakebase init'],
  TLS_NOT_OFFERED: ['what listens there does not speak TLS: it is no Lakebase, or a local proxy', 'check PGHOST and PGPORT; PGSSLMODE=disable is for loopback only'],
  TLS_FAILED: ['what listens there ended the TLS handshake: it is another service, or a proxy breaks it', 'check host and port, and proxies on the way'],
  IDENTITY_REFUSED: [
    'the secret or token is wrong, expired or revoked, or for another workspace',
    'make a new one, or log in again: databricks auth login --host "$DATABRICKS_HOST"; then: npx lakebase token --workspace --write .env.local',
  ],
  IP_ACCESS_LIST: ["this machine's address is not on the access list", 'connect through an allowed network, or have an administrator add the address: databricks ip-access-lists list'],
  NO_PERMISSION: [
    'the identity may not use this project, or lacks the workspace entitlement',
    ({ identity }) => `in the workspace, give ${identity || 'it'} 'Can use' on the project, and the entitlement 'Workspace access'`,
  ],
  RATE_LIMITED: ['the workspace answers too many requests', 'wait a minute; share one process-wide pool instead of one for each request'],
  WORKSPACE_UNAVAILABLE: ['the workspace has a problem, or a proxy on the way', 'try again in some minutes; https://status.databricks.com'],
  NOT_A_WORKSPACE: ['what answers at DATABRICKS_HOST is not the API of a Databricks workspace: a login page or a proxy', 'set DATABRICKS_HOST to the URL in the browser when you are in the workspace'],
  CLOCK: ["this machine's clock is wrong: tokens look expired, or not valid yet", 'synchronize the clock: sudo timedatectl set-ntp true'],
  ENDPOINT_NOT_FOUND: [
    ({ endpoint }) => `${endpoint} does not exist (any more), or this identity may not see it`,
    'npx lakebase init lists what there is and writes the name',
  ],
  ENDPOINT_DISABLED: [({ endpoint }) => `${endpoint} was disabled`, ({ endpoint }) => `enable it in the workspace, or with: databricks postgres update-endpoint ${endpoint}`],
  ENDPOINT_SUSPENDED: ['nobody has used it for a while', 'nothing to do: the next login wakes it, which takes a second or so'],
  INSTANCE_STOPPED: ['the instance was stopped', ({ endpoint }) => `databricks database update-database-instance ${endpoint} --json '{"stopped": false}'`],
  WRONG_HOST: ['PGHOST is of another endpoint than LAKEBASE_ENDPOINT', ({ endpointHost }) => `set PGHOST=${endpointHost}, or leave it out: it is looked up`],
  TOKEN_SHORT: ['the credential ends soon: a clock is wrong, or it was made with a short life', 'compare the clocks above'],
  ROLE_MISMATCH: [
    ({ user, identity }) => `PGUSER is ${user}, but the token is for ${identity}`,
    ({ identity }) => `set PGUSER=${identity}, or leave it out: it is looked up`,
  ],
  LOGIN_REFUSED: [
    ({ user }) => `${user} has no role in this database, or one that does not log in with tokens`,
    ({ user }) => `as the project's owner, in SQL: create extension if not exists databricks_auth; select databricks_create_role('${user}', 'USER')  -- or 'SERVICE_PRINCIPAL'`,
  ],
  NO_DATABASE: [({ database }) => `there is no database ${database} on this branch`, 'npx lakebase init lists the databases; or create it'],
  COMPUTE_UNREACHABLE: ['the compute does not start, or is just starting', 'try again in a minute; look at the endpoint in the workspace'],
  TOO_MANY_CONNECTIONS: ['every connection of the compute is taken', "make pools smaller (max), close what is idle: select * from pg_stat_activity; or enlarge the compute"],
  STARTING_UP: ['PostgreSQL is starting, or fails over', 'try again in some seconds'],
  CONNECTION_LOST: ['the connection ended before the login was complete: a proxy or firewall cuts it, or the compute fails', 'try again; try from another network'],
  LOGIN_TIMEOUT: ['the compute takes longer to wake than connectionTimeoutMillis (10 s), or packets are dropped', 'try again now that it is awake'],
  NO_SCHEMA: ['no schema of the search_path exists, or may be used', ({ user }) => `set PGSCHEMA, or as its owner: create schema app authorization "${user}"`],
  NO_SCHEMA_CREATE: [
    ({ user, schema }) => `${user} may use the schema ${schema} and not create tables in it: enough for an app, not for migrations`,
    ({ user, schema }) => `as its owner: grant create on schema "${schema}" to "${user}"`,
  ],
  NO_TABLE_PRIVILEGES: [
    ({ user, schema }) => `tables of the schema ${schema} belong to somebody else, and ${user} may not read them`,
    ({ user, schema }) => `as their owner: grant select, insert, update, delete on all tables in schema "${schema}" to "${user}"`,
  ],
  UNKNOWN: ['see the message', 'docs/errors.md of lakebase-native lists every error; the output of lakebase doctor --json helps in an issue'],
} satisfies Record<string, Described>

export type DiagnosisCode = keyof typeof described

/** Every code there is. */
export const codes = Object.keys(described) as DiagnosisCode[]

export function diagnosis(code: DiagnosisCode, facts: Facts): Diagnosis {
  const [cause, fix] = (described as Record<DiagnosisCode, Described>)[code]
  const tell = (text: string | ((facts: Facts) => string)): string => (typeof text === 'string' ? text : text(facts))
  return { code, cause: tell(cause), fix: tell(fix) }
}

/** The diagnosis of an error of the core, of PostgreSQL or of Node.js' sockets. */
export function codeOf(error: unknown): DiagnosisCode {
  const { name = '', message = '', code = '', status } = error as { name?: string; message?: string; code?: string; status?: number }
  if (name === 'ConfigurationError') return /without -pooler/.test(message) ? 'POOLED_HOST' : 'CONFIGURATION'
  const found = patterns.find(([, pattern]) => pattern.test(`${code} ${message}`))
  // Words first: PostgreSQL's proxy has one SQLSTATE for all it has to say, and a workspace one status.
  if (found) return found[0]
  if (status === 429) return 'RATE_LIMITED'
  if (status === 404) return 'ENDPOINT_NOT_FOUND'
  if (status === 401 || status === 400) return 'IDENTITY_REFUSED'
  if (status === 403) return 'NO_PERMISSION'
  if (status !== undefined && status >= 500) return 'WORKSPACE_UNAVAILABLE'
  if (name === 'TimeoutError') return 'LOGIN_TIMEOUT'
  if (name === 'AuthenticationError') return 'IDENTITY_REFUSED'
  return 'UNKNOWN'
}

const patterns: readonly (readonly [DiagnosisCode, RegExp])[] = [
  ['CLOCK', /clock skew/i],
  ['IP_ACCESS_LIST', /IP ACL|IP access list|IP address \S+ is not allowed|source IP address.*(?:blocked|not allowed)/i],
  ['ENDPOINT_DISABLED', /endpoint\b.*\bis disabled/i],
  ['INSTANCE_STOPPED', /instance\b.*\bis stopped/i],
  ['ENDPOINT_NOT_FOUND', /requested endpoint could not be found|endpoint cannot be found/i],
  ['COMPUTE_UNREACHABLE', /couldn't connect to compute node|control plane request failed/i],
  ['TOO_MANY_CONNECTIONS', /\b53300\b|too many connections/i],
  ['STARTING_UP', /\b57P0[123]\b/],
  ['NO_DATABASE', /\b3D000\b/],
  ['LOGIN_REFUSED', /\b28P01\b|\b28000\b|password authentication failed/i],
  ['NOT_A_WORKSPACE', /INVALID_RESPONSE/],
  ['DNS', /\b(?:ENOTFOUND|EAI_AGAIN)\b|DNS_/],
  ['TCP_REFUSED', /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/],
  ['CONNECTION_LOST', /ECONNRESET|EPIPE|08006|CONNECTION_LOST|CONNECTION_CLOSED|closed/],
  ['TLS_EXPIRED', /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate (?:has )?expired/i],
  ['TLS_NAME', /ERR_TLS_CERT_ALTNAME_INVALID/],
  ['TLS_UNTRUSTED', /UNABLE_TO_(?:VERIFY|GET)|SELF_SIGNED|UnknownIssuer|INVALID_CA|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/],
  ['TCP_TIMEOUT', /ETIMEDOUT|TCP_TIMEOUT/],
]
