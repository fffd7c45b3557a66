/** What an emulator keeps in its folder between runs: credentials, certificate, ports, and each branch's data. */

import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { X509Certificate } from 'node:crypto'
import type { ServerCertificate } from '../native.js'

const FILE = 'emulator.json'

/** Secrets of the emulator only; the file is its owner's alone. */
export interface Kept {
  clientId?: string
  clientSecret?: string
  personalAccessToken?: string
  certificate?: ServerCertificate & { names: string[] }
  ports?: { api?: number; database?: Record<string, number> }
}

/** A folder of an emulator. */
export class Folder {
  readonly path: string
  readonly kept: Kept

  /** Makes the folder if it is not there. Throws when it holds something else. */
  constructor(path: string) {
    this.path = resolve(path)
    mkdirSync(this.path, { recursive: true })
    const file = join(this.path, FILE)
    this.kept = existsSync(file) ? read(file) : {}
    // Data and secrets have no place in a repository.
    if (!existsSync(join(this.path, '.gitignore'))) writeFileSync(join(this.path, '.gitignore'), '*\n')
  }

  save(changes: Kept): void {
    Object.assign(this.kept, changes)
    const file = join(this.path, FILE)
    writeFileSync(file, `${JSON.stringify(this.kept, null, 2)}\n`, { mode: 0o600 })
    chmodSync(file, 0o600)
  }

  /** Where a branch's data is. */
  dataDir(branch: string): string {
    return join(this.path, 'branches', branch)
  }

  /**
   * Makes ready what a branch begins with: a branch without data gets a copy of what `parent` has, as a branch of Lakebase does; with `fresh`,
   * its data is removed before. Nothing may run on either.
   */
  prepare(branch: string, parent: string, fresh: boolean): void {
    const own = this.dataDir(branch)
    if (fresh) rmSync(own, { recursive: true, force: true })
    const source = this.dataDir(parent)
    if (branch === parent || existsSync(own) || !existsSync(join(source, 'PG_VERSION'))) return
    if (existsSync(join(source, 'postmaster.pid'))) {
      throw new Error(`the branch ${branch} cannot be copied from ${parent}, whose PostgreSQL runs: end the other emulator of ${this.path} first`)
    }
    cpSync(source, own, { recursive: true })
  }

  /** The certificate of the last run, while it is good for these names; else what `issue` gives. */
  certificate(names: string[], issue: (names: string[]) => ServerCertificate): ServerCertificate {
    const { certificate } = this.kept
    if (certificate && isGood(certificate, names)) return certificate
    const issued = issue(names)
    this.save({ certificate: { ...issued, names } })
    return issued
  }
}

function isGood(kept: ServerCertificate & { names: string[] }, names: string[]): boolean {
  if (kept.names.join() !== names.join()) return false
  const { validTo } = new X509Certificate(kept.certificate)
  return Date.parse(validTo) > Date.now() + 30 * 86_400_000
}

function read(file: string): Kept {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept
  } catch (cause) {
    throw new Error(`${file} is not what an emulator has written: choose another folder, or remove it`, { cause })
  }
}
