// Runs drizzle-kit with a fresh token: its configuration cannot wait for one. `node drizzle-kit.js push`
import { spawn } from 'node:child_process'
import { getDatabaseUrl } from 'lakebase-native'

const env = { ...process.env, DATABASE_URL: await getDatabaseUrl() }
const kit = spawn('npx', ['drizzle-kit', ...process.argv.slice(2)], { env, stdio: 'inherit', shell: process.platform === 'win32' })
kit.on('exit', (code) => process.exit(code ?? 1))
