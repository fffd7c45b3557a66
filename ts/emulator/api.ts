/** What the workspace API's parts pass to each other. */

/** A request whose body was read. */
export interface ApiRequest {
  method: string
  path: string
  query: URLSearchParams
  /** Where the client reached the API, such as `https://localhost:41234`. */
  origin: string
  authorization: string | undefined
  /** The name that the client called, without a port. */
  host: string
  /** By lower-case name. */
  headers: Record<string, string | undefined>
  body: string
}

export interface ApiAnswer {
  status: number
  body: Record<string, unknown>
  headers?: Record<string, string>
}

/** A call that was answered. */
export interface ApiCall {
  method: string
  /** Name and port that the client called. */
  host: string
  path: string
  /** What follows the `?`. */
  query: string
  /** By lower-case name. They hold the client's tokens, as the body does. */
  headers: Record<string, string | undefined>
  body: string
  /** HTTP status; 0 when the call was reset or left without an answer. */
  status: number
}

/** Databricks' shape of a failure. */
export function apiError(status: number, code: string, message: string): ApiAnswer {
  return { status, body: { error_code: code, message } }
}
