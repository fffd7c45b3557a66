/** SQL files that a new database begins with. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Emulator } from '../emulator/index.js'

/** The files that these paths name: files as they are, of folders all `.sql` files by name. */
export function seedFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path).filter((name) => name.endsWith('.sql')).sort()
    return names.map((name) => join(path, name))
  })
}

/** Runs the files, each whole, as the identity that apps log in with, so that it owns what is made. The error names the file. */
export async function seed(emulator: Emulator, branch: string, files: readonly string[], role: string): Promise<void> {
  for (const file of files) {
    try {
      await emulator.query(`SET SESSION AUTHORIZATION "${role.replaceAll('"', '""')}"; ${readFileSync(file, 'utf8')}`, branch)
    } catch (cause) {
      throw new Error(`the seed ${file} failed on branch ${branch}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }
}
