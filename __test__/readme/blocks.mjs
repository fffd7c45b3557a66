// The code blocks of README.md, and how each is run.
//
// The words behind a fence's language name what its code leaves out, for example ```ts pool day: each is an entry of `surroundings`. GitHub does not
// show them. A language without a runner, or a word without an entry, fails the test.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import ts from 'typescript'

const require = createRequire(import.meta.url)

/** @typedef {{ section: string, language: string, words: string[], text: string, line: number }} Block */

/** @returns {Block[]} */
export function blocksOf(markdown) {
  const blocks = []
  const lines = markdown.split('\n')
  let section = ''
  for (let i = 0; i < lines.length; i++) {
    section = /^## (.*)$/.exec(lines[i])?.[1] ?? section
    const fence = /^ *(`{3,})(.*)$/.exec(lines[i])
    if (!fence) continue
    const end = lines.findIndex((line, at) => at > i && line.trim() === fence[1])
    if (end < 0) throw new Error(`README.md:${i + 1}: a fence is not closed`)
    const [language = '', ...words] = fence[2].trim().split(/\s+/)
    blocks.push({ section, language, words, text: lines.slice(i + 1, end).join('\n'), line: i + 1 })
    i = end
  }
  return blocks
}

export const readme = () => blocksOf(readFileSync(require.resolve('lakebase-native/package.json').replace(/package\.json$/, 'README.md'), 'utf8'))

/**
 * What stands before and behind a block's code when it is run, by the words of its fence.
 * The code is a module of its own, in a process whose environment is a deployed app's, the emulator behind it.
 */
export const surroundings = {
  /** node-postgres' options, as an app takes them from somewhere, and a query that shows that they fit. */
  login: {
    before: 'const { PGHOST: host, PGDATABASE: database, PGUSER: user } = process.env',
    after: `await pool.query('select 1')`,
  },
  pool: {
    before: `import { createLakebasePool } from 'lakebase-native'\nconst pool = createLakebasePool()`,
    after: 'await pool.end()',
  },
  day: { before: `const day = '2026-11-21'` },
}

/** Sections whose blocks a test of their area runs, and how many those are: it knows the files and packages that they need. */
export const elsewhere = {
  Drizzle: { file: 'drizzle/kit.test.mjs', blocks: 3 },
}

/** What the examples' queries find in the database. */
export const tables = `
  create table customer (id int primary key, name text, region text);
  insert into customer values (1, 'Ada', 'EMEA'), (2, 'Grace', 'AMER');
  create table account (id int primary key, balance numeric not null);
  insert into account values (1, 500), (2, 0);
  create table event (id int primary key, day date not null);
  insert into event select n, '2026-11-21' from generate_series(1, 2500) n;
`

/** The program of a block of TypeScript or JavaScript: types are stripped, nothing is rewritten for older versions of Node.js. */
export function programOf({ language, words, text, line }) {
  const around = words.map((word) => {
    if (!Object.hasOwn(surroundings, word)) throw new Error(`README.md:${line}: no entry of \`surroundings\` for "${word}"`)
    return surroundings[word]
  })
  const source = [...around.map(({ before }) => before), text, ...around.map(({ after }) => after)].filter(Boolean).join('\n')
  if (language === 'js') return source
  const { outputText, diagnostics } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    reportDiagnostics: true,
  })
  if (diagnostics.length > 0) throw new Error(`README.md:${line}: ${ts.flattenDiagnosticMessageText(diagnostics[0].messageText, '\n')}`)
  return outputText
}

/** The commands of a block of shell. */
export function commandsOf({ text }) {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter(Boolean)
    .flatMap((line) => line.split(/\s*&&\s*/))
}

/** Files that a block shows: `{ … }` of JSON under a first line `// name: …`, or lines of code that end in `// name`. */
export function filesOf({ language, text }) {
  const named = /^\/\/ (\S+?): (.*)$/
  const files = {}
  if (language === 'jsonc') {
    const [first, ...rest] = text.split('\n')
    files[named.exec(first)[1]] = rest.join('\n')
    return files
  }
  for (const line of text.split('\n')) {
    const [, name, content] = named.exec(line) ?? []
    if (name) files[name] = content
    else {
      const [, code, file] = /^(.*?)\s+\/\/ (\S+?),?(?: .*)?$/.exec(line)
      files[file] = `${files[file] ?? ''}${code}\n`
    }
  }
  return files
}
