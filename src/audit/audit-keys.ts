/** What is made of the key of this installation for the audit trail: signatures of its head, keys of its files. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { SecretBox } from '../base/secret-box.js'

export class AuditKeys {
  readonly #signing: Buffer

  constructor(private readonly key: Buffer) {
    this.#signing = derived(key, '', 'merlot audit head')
  }

  /** @returns 64 hex digits */
  sign(text: string): string {
    return createHmac('sha256', this.#signing).update(text).digest('hex')
  }

  /** @param mac 64 hex digits, of whoever wrote the text */
  isSigned(text: string, mac: string): boolean {
    return timingSafeEqual(Buffer.from(this.sign(text)), Buffer.from(mac))
  }

  /** Each file has a key of its own: no nonce is likely to be used twice with one. @param salt in its first line */
  cipherOf(salt: string): RecordCipher {
    return new RecordCipher(derived(this.key, salt, 'merlot audit records'))
  }
}

/** For the records of one file. */
export class RecordCipher {
  /** Tells keys apart without giving them away. */
  readonly id: string
  readonly #box: SecretBox

  constructor(key: Buffer) {
    this.id = createHmac('sha256', key).update('id').digest('hex').slice(0, 16)
    this.#box = new SecretBox(key)
  }

  /** @param place number and time of the record: what was sealed there opens nowhere else @returns base64 */
  seal(place: string, text: string): string {
    return this.#box.seal(place, text).toString('base64')
  }

  /** @throws Error if it was sealed with another key or for another place, or is damaged */
  open(place: string, base64: string): string {
    return this.#box.open(place, Buffer.from(base64, 'base64'))
  }
}

function derived(key: Buffer, salt: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, purpose, 32))
}
