/** Files that are replaced whole: a process that is killed in the middle leaves the old file or the new one. */

import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { exitCodes, Failure } from './failure.js'

/** The file's text; `undefined` where there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure(`${file} cannot be read: ${reason(error)}`, { code: 'FILE_UNREADABLE', exitCode: exitCodes.failure, cause: error })
  }
}

/**
 * Replaces a file's text by what `change` makes of it, with the permissions `mode`. Written to a file beside it, flushed to the disk and renamed;
 * what somebody else wrote meanwhile is read again first. A symbolic link stays, and what it leads to is replaced. Returns whether anything changed.
 */
export function rewrite(file: string, mode: number, change: (text: string) => string): boolean {
  const target = realTarget(file)
  for (;;) {
    const before = readIfThere(target)
    const after = change(before ?? '')
    if (after === before) {
      chmodSync(target, mode)
      return false
    }
    const temporary = join(dirname(target), `${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      write(temporary, after, mode)
      if (readIfThere(target) !== before) continue
      renameSync(temporary, target)
      flushDirectory(dirname(target))
      return true
    } catch (error) {
      if (error instanceof Failure) throw error
      throw new Failure(`${file} cannot be written: ${reason(error)}`, { code: 'FILE_UNWRITABLE', cause: error })
    } finally {
      rmSync(temporary, { force: true })
    }
  }
}

function realTarget(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return resolve(file)
  }
}

function write(file: string, text: string, mode: number): void {
  const descriptor = openSync(file, 'wx', mode)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  // Whatever the umask took away.
  chmodSync(file, mode)
}

/** The new name lasts through a power failure, too. Windows opens no directories. */
function flushDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } catch {
    // Some file systems cannot; the file is whole all the same.
  } finally {
    closeSync(descriptor)
  }
}

const reason = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
