/** The package's entry points, as package.json exports them. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * @typedef {object} Entry
 * @property {string} specifier what users import: `lakebase-native/pg`
 * @property {string} module its path under ts/ and dist/, without extension: `pg/index`
 */

/** @type {Entry[]} */
export const entries = Object.entries(manifest.exports)
  .filter(([subpath]) => subpath !== './package.json')
  .map(([subpath, conditions]) => ({
    specifier: manifest.name + subpath.slice(1),
    module: conditions.require.default.replace(/^\.\/dist\/|\.js$/g, ''),
  }))
