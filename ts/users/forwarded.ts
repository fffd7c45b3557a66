/** What Databricks' proxy tells an app of the user whose request it forwards. Source: Databricks documentation, "Databricks Apps", HTTP headers. */

/** The headers of a request of Node.js. */
export type NodeHeaders = Record<string, string | string[] | undefined>

/** The part of the web's `Headers` that is read. */
export interface WebHeaders {
  get(name: string): string | null
}

/** A request of Node.js (also Express, Fastify, Hono's raw one), a web `Request`, or headers alone. */
export type ForwardedRequest = { headers: NodeHeaders | WebHeaders } | NodeHeaders | WebHeaders

/** The user of a request; undefined members were not sent. */
export interface ForwardedUser {
  /** The user's token for the workspace. Secret. */
  token: string | undefined
  /** The e-mail address, else the user's id. */
  user: string | undefined
}

export function forwardedUser(request: ForwardedRequest): ForwardedUser {
  const { headers } = request as { headers?: NodeHeaders | WebHeaders }
  const source = typeof headers === 'object' && headers !== null ? headers : (request as NodeHeaders | WebHeaders)
  return {
    token: header(source, 'x-forwarded-access-token'),
    // An address that cannot be read is not made up for by the id.
    user: has(source, 'x-forwarded-email') ? header(source, 'x-forwarded-email') : header(source, 'x-forwarded-user'),
  }
}

/** A header that was sent once, without white space around it. Of one that was sent twice nobody knows which counts. */
function header(source: NodeHeaders | WebHeaders, name: string): string | undefined {
  const value = sent(source, name)
  return typeof value === 'string' && value !== '' && !/[,\s\0]/.test(value) ? value : undefined
}

function has(source: NodeHeaders | WebHeaders, name: string): boolean {
  const value = sent(source, name)
  return value !== undefined && value !== null && value !== ''
}

/** What was sent with the request, not what all objects have. */
function sent(source: NodeHeaders | WebHeaders, name: string): unknown {
  if (typeof source.get === 'function') return (source as WebHeaders).get(name)
  return Object.hasOwn(source, name) ? (source as NodeHeaders)[name] : undefined
}
