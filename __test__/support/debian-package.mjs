// Programs of Debian suites other than the machine's: each in a folder with the libraries of its suite, nothing of the system changes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const root = dirname(createRequire(import.meta.url).resolve('lakebase-native/package.json'))
const cache = join(root, 'node_modules', '.cache', 'debian')
const SOURCES = '/etc/apt'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The folder that these packages of a suite lie in, as they would in `/`; downloaded if it is not there yet. For this machine's processor, or another. */
export async function debianPackages(suite, packages, architecture) {
  const folder = join(cache, [suite, packages[0], architecture].filter(Boolean).join('-'))
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  // Test files run at the same time: each downloads for itself, the first to finish keeps what it has.
  const work = mkdtempSync(join(cache, 'download-'))
  try {
    await download(work, suite, packages, architecture)
    try {
      renameSync(join(work, 'root'), folder)
    } catch (error) {
      if (!existsSync(folder)) throw error
    }
  } catch (cause) {
    throw new Error(`The tests need ${packages[0]} of Debian ${suite}, which apt-get could not download: ${cause.message}`, { cause })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return folder
}

/** What starts a program of such a folder with its own libraries: program and first arguments. */
export function programIn(folder, path) {
  const libraries = readdirSync(join(folder, 'usr', 'lib')).find((name) => name.endsWith('-linux-gnu'))
  const own = ['usr', 'lib', libraries]
  const loaders = [join(folder, ...own), join(folder, 'lib', libraries)].filter((directory) => existsSync(directory))
  const loader = loaders.flatMap((directory) => readdirSync(directory).map((name) => join(directory, name))).find((file) => /\/ld-linux[^/]*$/.test(file))
  if (!loader) throw new Error(`no dynamic loader under ${folder}`)
  return [loader, '--library-path', loaders.join(':'), join(folder, path)]
}

async function download(work, suite, packages, architecture) {
  for (const directory of ['root', 'packages', 'state', 'lists/partial', 'cache/archives/partial']) mkdirSync(join(work, directory), { recursive: true })
  writeFileSync(join(work, 'status'), '')
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`)
  writeFileSync(
    join(work, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${join(work, 'sources.list')}";`,
      'Dir::Etc::sourceparts "/dev/null";',
      `Dir::State "${join(work, 'state')}";`,
      `Dir::State::lists "${join(work, 'lists')}";`,
      `Dir::State::status "${join(work, 'status')}";`,
      `Dir::Cache "${join(work, 'cache')}";`,
      'Acquire::Languages "none";',
      'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
      'Acquire::Retries "3";',
      // The download runs as this process's user, who owns the folder.
      'APT::Sandbox::User "";',
      ...(architecture ? [`APT::Architecture "${architecture}";`, `APT::Architectures { "${architecture}"; };`] : []),
      '',
    ].join('\n'),
  )
  const env = { ...process.env, APT_CONFIG: join(work, 'apt.conf') }
  await run('apt-get', ['update', '--quiet'], { cwd: join(work, 'packages'), env })
  await run('apt-get', ['download', '--quiet', ...packages], { cwd: join(work, 'packages'), env })
  for (const file of readdirSync(join(work, 'packages'))) await run('dpkg-deb', ['-x', join(work, 'packages', file), join(work, 'root')], { env })
}

/** Debian's mirror that this machine is set up with. */
function mirror() {
  const lists = join(SOURCES, 'sources.list.d')
  const files = [join(SOURCES, 'sources.list'), ...(existsSync(lists) ? readdirSync(lists).map((name) => join(lists, name)) : [])]
  for (const file of files.filter((name) => existsSync(name))) {
    const address = /(?:^|\s)(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(readFileSync(file, 'utf8').replaceAll(/^#.*$/gm, ''))
    if (address) return address[1]
  }
  throw new Error(`no source under ${SOURCES} is a mirror of Debian: run these tests on a Debian machine`)
}

async function run(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}: ${output.trim().slice(-1000)}`)
}
