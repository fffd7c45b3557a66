/** The package's entry points, as package.json exports them. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * @typedef {object} Entry
 * @property {string} specifier what users import: `lakebase-native/pg`
 * @property {string} module its path under ts/ and dist/, without extension: `pg/index`
 * @property {string | undefined} declarations its declarations' path under ts/, when they are written by hand: the folder's modules are then
 *   compiled twice, since a library that they extend has two copies of its classes and types, one for each module system
 */

/** @type {Entry[]} */
export const entries = Object.entries(manifest.exports)
  .filter(([subpath]) => subpath !== './package.json')
  .map(([subpath, conditions]) => {
    const module = conditions.require.default.replace(/^\.\/dist\/|\.js$/g, '')
    const declarations = posix.join(posix.dirname(module), 'declarations', `${posix.basename(module)}.d.ts`)
    return {
      specifier: manifest.name + subpath.slice(1),
      module,
      declarations: existsSync(join(root, 'ts', declarations)) ? declarations : undefined,
    }
  })
