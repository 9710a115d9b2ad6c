/** What is made of the key of this installation for the audit trail: signatures of its head, keys of its files. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

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

/** AES-256-GCM for the records of one file. */
export class RecordCipher {
  /** Tells keys apart without giving them away. */
  readonly id: string

  constructor(private readonly key: Buffer) {
    this.id = createHmac('sha256', key).update('id').digest('hex').slice(0, 16)
  }

  /** @param place number and time of the record: what was sealed there opens nowhere else @returns base64 */
  seal(place: string, text: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(place))
    const sealed = [cipher.update(text, 'utf8'), cipher.final()]
    return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]).toString('base64')
  }

  /** @throws Error if it was sealed with another key or for another place, or is damaged */
  open(place: string, base64: string): string {
    const sealed = Buffer.from(base64, 'base64')
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const text = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  }
}

function derived(key: Buffer, salt: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, purpose, 32))
}
