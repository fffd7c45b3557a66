/** Names of the profiles that `databricks auth login` has written. What is in them only the core reads. */

import { homedir } from 'node:os'
import { join } from 'node:path'
import { readIfThere } from '../atomic-write.js'

export function profileNames(): string[] {
  const text = readIfThere(process.env['DATABRICKS_CONFIG_FILE'] ?? join(homedir(), '.databrickscfg')) ?? ''
  return [...text.matchAll(/^\s*\[([^\]]+)\]/gm)].map(([, name]) => name!.trim()).filter((name) => !name.startsWith('__'))
}
