/** A command that runs in the foreground, as if it had been started in place of this process: its signals, its exit code. */

import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** A terminal sends these to everybody in the foreground, the command included. */
const OF_TERMINALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']
const PASSED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']

/**
 * Runs a command with this process's input and output. Signals are passed on to it; where a terminal is, Ctrl-C and Ctrl-\ reach it from there.
 * Resolves with its exit code, 128 and the signal's number where a signal ended it, as shells count; rejects where it cannot be started.
 */
export function runChild(file: string, args: readonly string[], env: NodeJS.ProcessEnv, stdout: 'inherit' | 'ignore' = 'inherit'): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: ['inherit', stdout, 'inherit'] })
    const pass = (signal: NodeJS.Signals): void => {
      if (!(process.stdin.isTTY && OF_TERMINALS.includes(signal))) child.kill(signal)
    }
    const passed = PASSED.filter((signal) => signal in constants.signals && (process.platform !== 'win32' || signal === 'SIGINT'))
    for (const signal of passed) process.on(signal, pass)
    const settle = (settled: () => void): void => {
      for (const signal of passed) process.off(signal, pass)
      settled()
    }
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', (code, signal) => settle(() => resolve(code ?? 128 + constants.signals[signal!])))
  })
}
