/**
 * The libraries of the command line, each bundled into one file of dist/cli/bundled: the package needs no further dependency for them, and
 * one file loads faster than many. Their licences go along.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { build } from 'esbuild'
import { root } from './entries.mjs'
import { licences } from './licences.mjs'

/** File names by library. */
const libraries = { commander: 'commander', '@clack/prompts': 'prompts' }

/** Bundles them into the compiled command line, a folder, and has its modules load the bundles. */
export async function bundleLibraries(cli) {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(Object.entries(libraries).map(([library, file]) => [file, library])),
    absWorkingDir: root,
    outdir: join(cli, 'bundled'),
    bundle: true,
    minify: true,
    // Error classes are told by their names.
    keepNames: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    legalComments: 'none',
    metafile: true,
    plugins: [{ name: 'no-programs', setup: withoutPrograms }],
  })
  for (const file of readdirSync(cli, { recursive: true }).filter((name) => name.endsWith('.js') && !name.startsWith('bundled'))) {
    const path = join(cli, file)
    const text = readFileSync(path, 'utf8')
    const folder = relative(dirname(path), join(cli, 'bundled')).split(sep).join('/')
    const loading = /\b(require|import)\((["'])(commander|@clack\/prompts)\2\)/g
    const changed = text.replace(loading, (_, call, quote, library) => `${call}(${quote}./${posix.join(folder, libraries[library])}.js${quote})`)
    if (changed !== text) writeFileSync(path, changed)
  }
  writeFileSync(join(cli, 'bundled', 'LICENSES.txt'), licences(Object.keys(metafile.inputs)))
}

/** commander loads node:child_process for commands that are programs of their own. There are none, and the module costs 2 ms of every start. */
function withoutPrograms({ onResolve, onLoad }) {
  onResolve({ filter: /^node:child_process$/ }, ({ path }) => ({ path, namespace: 'no-programs' }))
  onLoad({ filter: /./, namespace: 'no-programs' }, () => ({ contents: 'module.exports = {}' }))
}
