import { parseArgs } from 'node:util'

/** `--seconds`, `--minutes`, `--token-seconds`. */
export function readArguments() {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, minutes: { type: 'string' }, 'token-seconds': { type: 'string', default: '4' } },
  })
  const seconds = values.minutes ? Number(values.minutes) * 60 : Number(values.seconds ?? 16)
  const tokenSeconds = Number(values['token-seconds'])
  if (!(seconds > 0 && tokenSeconds >= 2)) throw new Error('expected --seconds above 0 and --token-seconds of at least 2')
  return { seconds, tokenSeconds }
}
