// The declarations, as TypeScript finds them from each kind of app. Libraries are checked too (`skipLibCheck: false`), with no types
// installed but Node's: what index.d.ts needs must come with the package.
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { install, root, run } from './installation.mjs'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const app = await install()
cpSync(join(root, '__test__/package/consumers'), app, { recursive: true })

const kinds = {
  'ES modules under node16': ['module.mts', '--module', 'node16'],
  'CommonJS under node16': ['commonjs.cts', '--module', 'node16'],
  'a bundler': ['bundled.ts', '--module', 'esnext', '--moduleResolution', 'bundler'],
  'classic node resolution': ['bundled.ts', '--module', 'commonjs', '--moduleResolution', 'node10'],
}
const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023', '--skipDefaultLibCheck', '--esModuleInterop']
const nodeTypes = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]

describe('the typings compile', { concurrency: 2 }, () => {
  for (const [kind, args] of Object.entries(kinds)) {
    test(`for ${kind}`, async () => {
      const { stdout } = await run(app, [tsc, ...options, ...nodeTypes, ...args]).then((stdout) => ({ stdout }), (failure) => failure)
      assert.equal(stdout, '')
    })
  }
})
