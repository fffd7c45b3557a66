// Every path that a document or a comment cites, and every link between documents, leads to a file or folder of this repository.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { posix } from 'node:path'
import { test } from 'node:test'
import { readDocument, root } from './blocks.mjs'

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
/** Files, and folders with and without a slash behind. */
const paths = new Set(files.flatMap((file) => file.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'))))

/** Folders of this repository that a cited path may begin with. */
const folders = [...new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]))]
/** What builds and tests make, and what is in no repository. */
const made = ['npm/local', 'fuzz/target']
/** Files of apps, and of other projects' sources, which a document or a comment may cite. */
const foreign = {
  apps: ['first-row.mjs', 'middleware.ts', 'row.mjs'],
  'the DevHub cookbook': ['src/lib/env.ts', 'src/lib/lakebase/tokens.ts', 'src/lib/db'],
  'Neon\'s proxy': ['proxy/src/pglb/handshake.rs', 'proxy/src/auth/mod.rs', 'proxy/src/compute/mod.rs', 'compute/mod.rs', 'binary/proxy.rs'],
  PostgreSQL: ['src/include/libpq/pqcomm.h', 'src/backend/tcop/backend_startup.c'],
}

const documents = files.filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md')
const sources = files.filter((file) => /\.(rs|ts|mts|cts|mjs|js|toml|yml)$/.test(file) && !file.startsWith('index.d.ts'))

/** Braces hold alternatives, as in a shell: `x/{a,b}` is two paths. */
function expand(path) {
  const braces = /\{([^{}]+)\}/.exec(path)
  if (!braces) return [path]
  return braces[1].split(',').flatMap((choice) => expand(path.replace(braces[0], choice.trim())))
}

const begins = new RegExp(`(?<![\\w./@-])(?:${folders.map((folder) => folder.replace('.', '\\.')).join('|')})/[\\w./{},-]*[\\w}]`, 'g')
/** A file of Rust or TypeScript, with or without folders before it. */
const named = /(?<![\w./@$*}-])(?:[\w{},-]+\/)*[\w-]+\.(?:rs|mjs|ts)(?![\w(])/g

/** The comments of a source file. */
const commentsOf = (text) => text.split('\n').map((line) => /(?:^|\s)(?:\/\/+!?|\/?\*+|#)\s(.*)$/.exec(line)?.[1] ?? '')

/** Whether a path that is cited in `file` is there: from the root, from the folder of `file` or one above it, or by the end of its path. */
function exists(path, file) {
  if (made.some((start) => path.startsWith(start)) || Object.values(foreign).flat().includes(path)) return true
  for (let folder = posix.dirname(file); ; folder = posix.dirname(folder)) {
    if (paths.has(posix.join(folder, path))) return true
    if (folder === '.') break
  }
  return files.some((known) => known.endsWith(`/${path}`))
}

function missing(file, lines) {
  return lines.flatMap((line, at) =>
    [...new Set([...line.matchAll(begins), ...line.matchAll(named)].map(([path]) => path))]
      .flatMap(expand)
      .filter((path) => !exists(path.replace(/\/$/, ''), file))
      .map((path) => `${file}:${at + 1}: ${path}`),
  )
}

/** The anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (text) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))

test('the links in documents', () => {
  const broken = documents.flatMap((file) =>
    [...readDocument(file).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, path, anchor]) => {
        const target = path ? posix.join(posix.dirname(file), path) : file
        return !paths.has(target.replace(/\/$/, '')) || (anchor && !anchorsOf(readDocument(target)).includes(anchor))
      })
      .map(([link]) => `${file}: ${link}`),
  )
  assert.deepEqual(broken, [])
})

test('the paths in documents', () => {
  assert.deepEqual(documents.flatMap((file) => missing(file, readDocument(file).split('\n'))), [])
})

test('the paths in comments', () => {
  assert.deepEqual(sources.flatMap((file) => missing(file, commentsOf(readDocument(file)))), [])
})
