#!/usr/bin/env node
/** The command `lakebase`. */

import { run } from './program.js'

// Whoever reads the output has seen enough: `lakebase … | head`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))

void run(process.argv.slice(2))
