/** The licence texts of packages whose code goes into a bundle. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.mjs'

/** Of all packages that these files are of; paths from the checkout. */
export function licences(files) {
  const packages = new Set(files.map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean))
  return `${[...packages].sort().map(licence).join('\n\n')}\n`
}

function licence(folder) {
  const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  return `${name} ${version}\n${'-'.repeat(name.length + version.length + 1)}\n${textOf(folder)}`
}

/** A file of its own, or the end of the README. */
function textOf(folder) {
  const files = readdirSync(join(root, folder))
  const own = files.find((file) => /^licen[cs]e/i.test(file))
  if (own) return readFileSync(join(root, folder, own), 'utf8').trim()
  const readme = files.find((file) => /^readme/i.test(file))
  const section = readme && /^#+ licen[cs]e\n+(.*)/ims.exec(readFileSync(join(root, folder, readme), 'utf8'))
  if (!section) throw new Error(`${folder} says nowhere on what terms it may be passed on`)
  return section[1].trim()
}
