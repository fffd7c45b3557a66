// What tools for package authors say about the tarball.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { pack, root } from './installation.mjs'

const execute = promisify(execFile)
const { main } = await pack()

test('publint finds nothing wrong with the files and exports', async () => {
  const { stdout } = await execute(process.execPath, [join(root, 'node_modules/publint/src/cli.js'), 'run', main, '--strict', '--level', 'warning'])
  assert.match(stdout, /All good!/)
})

test('are-the-types-wrong finds nothing wrong with the typings of any entry, in any module resolution', async () => {
  const { stdout } = await execute(process.execPath, [join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js'), main, '--no-color', '--no-emoji'])
  assert.match(stdout, /No problems found/)
})
