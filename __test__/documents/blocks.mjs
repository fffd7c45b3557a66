// The code blocks of README.md and docs/, and how each is run.
//
// The words behind a fence's language name what its code leaves out, for example ```ts pool day: each is an entry of `surroundings`. GitHub does not
// show them. A language without a runner, or a word without an entry, fails the test.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** @typedef {{ file: string, language: string, words: string[], text: string, line: number }} Block */

/** @returns {Block[]} */
export function blocksOf(markdown, file) {
  const blocks = []
  const lines = markdown.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const fence = /^ *(`{3,})(.*)$/.exec(lines[i])
    if (!fence) continue
    const end = lines.findIndex((line, at) => at > i && line.trim() === fence[1])
    if (end < 0) throw new Error(`${file}:${i + 1}: a fence is not closed`)
    const [language = '', ...words] = fence[2].trim().split(/\s+/)
    blocks.push({ file, language, words, text: lines.slice(i + 1, end).join('\n'), line: i + 1 })
    i = end
  }
  return blocks
}

/** The documents for users, whose code is run. */
export const guides = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]

export const readDocument = (file) => readFileSync(join(root, file), 'utf8')

/**
 * What stands before and behind a block's code when it is run, by the words of its fence.
 * The code is a module of its own, in a process whose environment is a deployed app's, the emulator behind it; `environment` changes that.
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
  /** No variables of the emulator's but those that the README's block `env` names, and where the emulator listens and whom to trust. */
  'five-variables': {
    environment: ({ env }) => {
      const [{ text }] = blocksOf(readDocument('README.md'), 'README.md').filter(({ words }) => words.includes('env'))
      const named = text.split('\n').map((line) => line.split('=')[0])
      const changes = Object.fromEntries(Object.keys(env).map((name) => [name, named.includes(name) ? env[name] : undefined]))
      for (const name of named) if (!env[name]) throw new Error(`the emulator gives no ${name}`)
      return { ...changes, PGPORT: env.PGPORT, NODE_EXTRA_CA_CERTS: env.NODE_EXTRA_CA_CERTS }
    },
  },
  /** A function of Vercel's, called with the token that Vercel gives in a header. */
  'vercel-request': {
    environment: (emulator) => ({ DATABRICKS_CLIENT_SECRET: undefined, ID_TOKEN: emulator.idToken() }),
    before: `import { createLakebasePool } from 'lakebase-native'`,
    after: `
      const response = await GET(new Request('https://app.example', { headers: { 'x-vercel-oidc-token': process.env.ID_TOKEN } }))
      if ((await response.json()).length !== 2) throw new Error('no rows')`,
  },
}

/** Documents whose blocks a test of another area runs, and how many those are: it knows the files and packages that they need. */
export const elsewhere = {
  'docs/cli.md': { test: 'package/command-line.test.mjs', blocks: 7 },
  'docs/drizzle.md': { test: 'drizzle/kit.test.mjs', blocks: 3 },
  'docs/hosts.md': { test: 'apps/hosts.test.mjs', blocks: 4 },
  'docs/orms.md': { test: 'apps/orms/support/orm.mjs', blocks: 14 },
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

const around = ({ words, file, line }) =>
  words.map((word) => {
    if (!Object.hasOwn(surroundings, word)) throw new Error(`${file}:${line}: no entry of \`surroundings\` for "${word}"`)
    return surroundings[word]
  })

/** The variables that a block's code finds changed; undefined ones are unset. */
export const environmentOf = (block, emulator) => Object.assign({}, ...around(block).map(({ environment }) => environment?.(emulator)))

/** The program of a block of TypeScript or JavaScript: types are stripped, nothing is rewritten for older versions of Node.js. */
export function programOf(block) {
  const { language, text, file, line } = block
  const parts = around(block)
  const source = [...parts.map(({ before }) => before), text, ...parts.map(({ after }) => after)].filter(Boolean).join('\n')
  if (language === 'js') return source
  const { outputText, diagnostics } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    reportDiagnostics: true,
  })
  if (diagnostics.length > 0) throw new Error(`${file}:${line}: ${ts.flattenDiagnosticMessageText(diagnostics[0].messageText, '\n')}`)
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
