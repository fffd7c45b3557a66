/**
 * Fails on a cycle of imports in src: of its top-level modules, and of the files of one folder. A folder's mod.rs may name its files and
 * they what it declares; that is how Rust builds a module of several files.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { root } from './entries.mjs'

const source = join(root, 'src')
/** Folders whose files may name each other: the methods of one type, spread over several files. */
const oneType = ['pool']
/** Modules by path (`wire::socket`), with the paths that their files import. */
const modules = new Map()
for (const file of readdirSync(source, { recursive: true }).map((name) => name.replaceAll(sep, '/'))) {
  // Tests may look at everything.
  if (!file.endsWith('.rs') || /(^|\/)(lib|tests|fake_server|fuzzing|\w+_tests|scripted_server)\.rs$/.test(file) || file.includes('/tests/')) continue
  const path = file.replace(/(\/mod)?\.rs$/, '').replaceAll('/', '::')
  modules.set(path, { isFolder: file.endsWith('mod.rs'), imports: importsOf(readFileSync(join(source, file), 'utf8')) })
}

const edges = new Map([...modules].map(([path, { imports }]) => [path, targetsOf(path, imports)]))
const cycles = [...cyclesOf(betweenTops()), ...cyclesOf(withinFolders())]
for (const cycle of cycles) console.error(`modules of src import each other: ${cycle.join(' → ')} → ${cycle[0]}`)
process.exitCode = cycles.length > 0 ? 1 : 0

/** Every path after `use`, and every `crate::` or `super::` path in the code; those of tests at the end of a file do not count. */
function importsOf(text) {
  const code = text.split(/^#\[cfg\(test\)\]\s*\nmod tests \{/m)[0].replace(/\/\/.*$/gm, '')
  const used = [...code.matchAll(/\buse\s+([^;]+);/g)].flatMap(([, tree]) => pathsOf(tree.replace(/\s+/g, ' ').trim()))
  const inline = [...code.matchAll(/\b(?:crate|super)(?:::\w+)+/g)].map(([path]) => path)
  return [...used, ...inline]
}

/** `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`. */
function pathsOf(tree) {
  const open = tree.indexOf('{')
  if (open < 0) return [tree.split(' as ')[0].trim()]
  const parts = []
  let depth = 0
  let part = ''
  for (const character of tree.slice(open + 1, tree.lastIndexOf('}'))) {
    if (character === '{') depth++
    if (character === '}') depth--
    if (character === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else {
      part += character
    }
  }
  return [...parts, part].filter((one) => one.trim()).flatMap((one) => pathsOf(tree.slice(0, open) + one.trim()))
}

/** The modules that these paths lead to. */
function targetsOf(path, imports) {
  const targets = new Set()
  for (const text of imports) {
    let parts = text.split('::')
    if (parts[0] === 'crate') parts = parts.slice(1)
    else if (parts[0] === 'self') parts = [...path.split('::'), ...parts.slice(1)]
    else if (parts[0] === 'super') {
      const base = path.split('::')
      while (parts[0] === 'super') {
        parts = parts.slice(1)
        base.pop()
      }
      parts = [...base, ...parts]
    } else if (modules.has(`${path}::${parts[0]}`)) parts = [path, ...parts]
    else continue
    for (let length = parts.length; length > 0; length--) {
      const target = parts.slice(0, length).join('::')
      if (!modules.has(target)) continue
      if (target !== path) targets.add(target)
      break
    }
  }
  return targets
}

function betweenTops() {
  const graph = new Map()
  for (const [from, targets] of edges) {
    for (const to of targets) {
      const [a, b] = [from.split('::')[0], to.split('::')[0]]
      if (a !== b) graph.set(a, (graph.get(a) ?? new Set()).add(b))
    }
  }
  return graph
}

/** Files of one top-level module, without the ways between a folder's mod.rs and what is in the folder. */
function withinFolders() {
  const isAbove = (one, other) => modules.get(one).isFolder && other.startsWith(`${one}::`)
  const folderOf = (path) => path.split('::')[0]
  const related = (from, to) => folderOf(from) === folderOf(to) && !oneType.includes(folderOf(from)) && !isAbove(from, to) && !isAbove(to, from)
  return new Map([...edges].map(([from, targets]) => [from, new Set([...targets].filter((to) => related(from, to)))]))
}

/** One cycle for each module that is on one, the shortest; each cycle once. */
function cyclesOf(graph) {
  const found = new Map()
  for (const start of graph.keys()) {
    const paths = [[start]]
    const seen = new Set()
    for (let path = paths.shift(); path; path = paths.shift()) {
      const next = graph.get(path.at(-1)) ?? []
      if ([...next].includes(start)) {
        found.set([...path].sort().join(), path)
        break
      }
      for (const to of next) if (!seen.has(to) && seen.add(to)) paths.push([...path, to])
    }
  }
  return found.values()
}
