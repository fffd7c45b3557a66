// npm run demo [-- --minutes 5]
//
// Runs an app against Lakebase's emulator while everything that can change does: tokens live four seconds (instead of an hour),
// connections live one second, the server ends idle ones. The app (app.mjs) must not notice.
import { startEmulator } from 'lakebase-native/emulator'
import { runApp } from './deployment.mjs'
import { disturb } from './disturbance.mjs'
import { showProgress } from './progress.mjs'
import { report } from './report.mjs'
import { readSettings } from './settings.mjs'

const settings = readSettings(process.argv.slice(2))
console.log(`
  An emulated Lakebase starts: a real PostgreSQL behind TLS, and a Databricks workspace that issues its passwords.
  Each password lives ${settings.tokenSeconds} s. ${settings.callers} callers use one pool of ${settings.max} for ${settings.seconds} s.
`)

const emulator = await startEmulator({ tokenLifetimeMillis: settings.tokenSeconds * 1000 })
try {
  const disturbance = disturb(emulator, settings)
  const app = runApp(emulator.env, settings)
  const progress = showProgress(app, emulator, settings)
  await app.finished
  progress.stop()
  disturbance.stop()
  const passed = report(await app.summary(disturbance.refreshes), emulator.counts, disturbance.counts, settings)
  process.exitCode = passed ? 0 : 1
} finally {
  await emulator.stop()
}
