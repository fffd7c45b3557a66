// Runs one body in a process of its own, for what can be set only once per process: environment, global type parsers,
// process warnings, exit. Observations go to file descriptor 3, each as soon as it is made.
import { writeSync } from 'node:fs'
import Module, { createRequire } from 'node:module'

const { driver, config, args, body } = JSON.parse(process.env.COMPAT_CHILD)
delete process.env.COMPAT_CHILD

// Packages that say require('pg') get the driver under test.
const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (request, ...rest) {
  return request === 'pg' ? driver : resolveFilename.call(this, request, ...rest)
}

const require = createRequire(import.meta.url)
const { Renderer } = await import('./observation.mjs')
const pg = require(driver)
const renderer = new Renderer(pg, [[config.database, '<database>'], [String(config.port), '<port>']])
const observe = (...values) => {
  for (const value of values) writeSync(3, `${renderer.render(value)}\n`)
}
const run = (0, eval)(`(${body})`)
await run({ pg, config, observe, require }, ...args)
