/** Encryption of secrets at rest: AES-256-GCM with a key of this installation. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { messageOf } from '../base/errors.js'
import { systemCode, systemReason } from '../base/system-error.js'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const OTHERS_MAY_READ = 0o077
const KEY_TEXT = /^[0-9a-f]{64}$/i

export interface KeyPlace {
  /** The key as hex, of MERLOT_SECRET_KEY; comes first. */
  readonly given: string | undefined
  /** Made where it is missing. */
  readonly file: string
}

export class SecretBox {
  constructor(private readonly key: Buffer) {}

  /** @param name belongs to the text: a secret can not be passed off as another one */
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

/**
 * Reads the key, or makes one in a file that only its owner may read.
 * @returns why there is none, as text; it never holds the key
 */
export function openSecretBox({ given, file }: KeyPlace): SecretBox | string {
  if (given !== undefined && given !== '') {
    return KEY_TEXT.test(given)
      ? boxOf(given)
      : `MERLOT_SECRET_KEY is not ${KEY_BYTES} bytes as ${KEY_BYTES * 2} hex digits`
  }
  try {
    return readKey(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') return `cannot read the key of secrets ${file}: ${systemReason(error)}`
  }
  try {
    const text = randomBytes(KEY_BYTES).toString('hex')
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' })
    return boxOf(text)
  } catch (error) {
    return `cannot make the key of secrets ${file}: ${systemReason(error)}`
  }
}

function readKey(file: string): SecretBox | string {
  const descriptor = openSync(file, 'r')
  try {
    const { mode, size } = fstatSync(descriptor)
    // Windows has no such rights: there the folder of the user guards the file
    if (process.platform !== 'win32' && (mode & OTHERS_MAY_READ) !== 0) {
      return `others may read the key of secrets ${file}: take their rights away (chmod 600)`
    }
    const text = size > 1_024 ? '' : readFileSync(descriptor, 'utf8').trim()
    return KEY_TEXT.test(text) ? boxOf(text) : `${file} does not hold a key of ${KEY_BYTES * 2} hex digits`
  } finally {
    closeSync(descriptor)
  }
}

function boxOf(hex: string): SecretBox {
  return new SecretBox(Buffer.from(hex, 'hex'))
}

export function unreadableSecret(name: string, error: unknown): string {
  return `the secret ${name} cannot be read with this key: ${messageOf(error)}`
}
