/** Files of variables (.env.local, .env): found in the working directory, read as Next.js and Vite read them. */

import { readFileSync } from 'node:fs'
import { parseVariables } from './variables-file.js'
import { exitCodes, Failure } from './failure.js'

/** The first that sets a variable wins. */
export const usualFiles = ['.env.local', '.env'] as const

/**
 * Sets the variables of these files that the environment does not set. Without `files`, of the usual ones that are there;
 * with `false`, of none.
 */
export function loadEnvironmentFiles(files: readonly string[] | false | undefined): void {
  if (files === false) return
  for (const file of files ?? usualFiles) {
    const text = read(file, files === undefined)
    if (text === undefined) continue
    for (const [name, value] of parseVariables(text)) process.env[name] ??= value
  }
}

function read(file: string, optional: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (optional && code === 'ENOENT') return undefined
    throw new Failure(`${file} cannot be read: ${code ?? String(error)}`, { exitCode: exitCodes.configuration, code: 'ENV_FILE', cause: error })
  }
}
