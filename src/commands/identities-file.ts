/**
 * `identities.json` in the data folder: users and rules as the store has them, for the day on which the store is damaged.
 * It is signed with a key made of that of this installation, so whoever can write the file and not read the key adds no
 * rule by it.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../base/errors.js'
import { replaceFile } from '../base/replace-file.js'
import { systemCode, systemReason } from '../base/system-error.js'

const FILE = 'identities.json'
const MAC = /^[0-9a-f]{64}$/

export interface IdentitiesCopy {
  /** Of the state of the store that it is a copy of. */
  readonly version: string
  /** Keys and texts as in the store, in the order of the keys. */
  readonly definitions: readonly (readonly [key: string, text: string])[]
}

/** What was found. `unproven`: without the key nobody can tell whether it is good. */
export type CopyFound =
  | { readonly kind: 'absent' }
  | { readonly kind: 'good'; readonly copy: IdentitiesCopy }
  | { readonly kind: 'damaged' | 'unproven'; readonly reason: string }

/** The file: the content as JSON, in a string, and its signature. */
interface Signed {
  readonly mac: string
  readonly content: string
}

export class IdentitiesFile {
  readonly path: string
  readonly #signing: Buffer | undefined
  readonly #keyProblem: string | undefined

  /** @param key of this installation; why there is none, as text */
  constructor(dataDirectory: string, key: Buffer | string) {
    this.path = join(dataDirectory, FILE)
    if (typeof key === 'string') this.#keyProblem = key
    else this.#signing = Buffer.from(hkdfSync('sha256', key, '', 'merlot identities', 32))
  }

  /** Why it can be neither read nor written. */
  get keyProblem(): string | undefined {
    return this.#keyProblem
  }

  read(): CopyFound {
    let text: string
    try {
      text = readFileSync(this.path, 'utf8')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return { kind: 'absent' }
      return { kind: 'damaged', reason: systemReason(error) }
    }
    if (this.#signing === undefined) return { kind: 'unproven', reason: this.#keyProblem ?? '' }
    return this.#prove(text, this.#signing)
  }

  /** On disk when it resolves. @throws Error when it cannot be written: it is as it was */
  async write(copy: IdentitiesCopy): Promise<void> {
    if (this.#signing === undefined) throw new Error(this.#keyProblem)
    const content = JSON.stringify(copy)
    const signed: Signed = { mac: macOf(content, this.#signing).toString('hex'), content }
    await replaceFile(this.path, `${JSON.stringify(signed)}\n`)
  }

  /** @returns where it is now @throws Error of the system */
  moveAside(): string {
    const aside = `${this.path}.damaged`
    renameSync(this.path, aside)
    return aside
  }

  #prove(text: string, signing: Buffer): CopyFound {
    try {
      const { mac, content } = JSON.parse(text) as Partial<Signed>
      if (typeof content !== 'string' || typeof mac !== 'string' || !MAC.test(mac)) {
        return { kind: 'damaged', reason: 'it is not as a broker writes it' }
      }
      if (!timingSafeEqual(macOf(content, signing), Buffer.from(mac, 'hex'))) {
        return { kind: 'damaged', reason: 'its signature is wrong: it was changed, or written with another key' }
      }
      return { kind: 'good', copy: JSON.parse(content) as IdentitiesCopy }
    } catch (error) {
      return { kind: 'damaged', reason: messageOf(error) }
    }
  }
}

function macOf(content: string, signing: Buffer): Buffer {
  return createHmac('sha256', signing).update(content).digest()
}
