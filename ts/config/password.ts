/** Asks a `password` function, or the password file, and passes the answer to the connection that waits for it. */

import { environment } from '../environment.js'
import { keepError } from '../errors.js'
import { passwordFromFile } from './passfile.js'

/** What node-postgres calls a password function with, as far as we know it. */
export interface ConnectionParameters {
  host: string
  port: number
  user: string
  database: string
}

/** A password, or a function that gives one for each new connection. */
export type Password = string | ((parameters?: ConnectionParameters) => string | undefined | Promise<string | undefined>)

export function answerPassword(question: number, password: Password | undefined, parameters: ConnectionParameters): void {
  Promise.resolve()
    .then(() => (typeof password === 'function' ? password(parameters) : (password ?? passwordFromFile(parameters))))
    .then(
      (answer) => {
        if (answer !== undefined && answer !== null && typeof answer !== 'string') {
          environment.answer(question, null, keepError(new TypeError('Password must be a string')))
        } else {
          environment.answer(question, answer ?? null, null)
        }
      },
      (error: unknown) => environment.answer(question, null, keepError(error)),
    )
}
