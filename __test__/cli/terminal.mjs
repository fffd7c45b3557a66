// Programs on a real pseudo-terminal, which `script` of util-linux opens: no native module to install.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { program, surroundings } from './lakebase.mjs'

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Starts `lakebase` on a terminal of 100 columns. `type` presses keys, `shows` waits until a text is on the screen. `screen` is everything that
 * was written, with its colours; `text` is the same without.
 */
export function onTerminal(args, { cwd, env = {} }) {
  const command = ['stty cols 100 rows 40;', 'exec', ...[process.execPath, program, ...args].map(quoted)].join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd,
    env: { TERM: 'xterm-256color', SHELL: '/bin/sh', ...surroundings(cwd, env) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const terminal = {
    process: child,
    screen: '',
    get text() {
      return stripVTControlCharacters(terminal.screen).replaceAll('\r', '')
    },
    type: (keys) => child.stdin.write(keys),
    async shows(text) {
      while (!terminal.text.includes(text)) {
        const ended = await Promise.race([once(child.stdout, 'data'), terminal.ended.then(() => 'ended')])
        if (ended === 'ended' && !terminal.text.includes(text)) throw new Error(`the program ended without "${text}":\n${terminal.text}`)
      }
    },
    ended: once(child, 'close').then(([code]) => ({ code, screen: terminal.screen, text: terminal.text })),
  }
  child.stdout.setEncoding('utf8').on('data', (text) => (terminal.screen += text))
  return terminal
}

export const KEYS = { down: '\u001b[B', enter: '\r', interrupt: '\u0003' }
