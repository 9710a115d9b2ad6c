/** Encryption at rest: AES-256-GCM. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { messageOf } from './errors.js'

const NONCE_BYTES = 12
const TAG_BYTES = 16

export class SecretBox {
  constructor(private readonly key: Buffer) {}

  /** @param name belongs to the text: what was sealed under one cannot be passed off as another */
  seal(name: string, value: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(name))
    const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
  }

  /** @throws Error if it was made with another key, or is damaged */
  open(name: string, sealed: Uint8Array): string {
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(name)).setAuthTag(tag)
    const rest = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([rest, decipher.final()]).toString('utf8')
  }
}

export function unreadableSecret(name: string, error: unknown): string {
  return `the secret ${name} cannot be read with this key: ${messageOf(error)}`
}
