/** The key of this installation: secrets and the audit trail are encrypted and signed with it. */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { systemCode, systemReason } from './system-error.js'

const KEY_BYTES = 32
const OTHERS_MAY_READ = 0o077
const KEY_TEXT = /^[0-9a-f]{64}$/i

export interface KeyPlace {
  /** The key as hex, of MERLOT_SECRET_KEY; comes first. */
  readonly given: string | undefined
  readonly file: string
}

/**
 * Reads the key, or makes one in a file that only its owner may read.
 * @returns why there is none, as text; it never holds the key
 */
export function openSecretKey(place: KeyPlace): Buffer | string {
  const { file } = place
  const found = readSecretKey(place)
  if (found !== undefined) return found
  try {
    const text = randomBytes(KEY_BYTES).toString('hex')
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' })
    return Buffer.from(text, 'hex')
  } catch (error) {
    return `cannot make the key of secrets ${file}: ${systemReason(error)}`
  }
}

/** @returns why it cannot be used, as text, which never holds the key; undefined where none has been made */
export function readSecretKey({ given, file }: KeyPlace): Buffer | string | undefined {
  if (given !== undefined && given !== '') {
    return KEY_TEXT.test(given)
      ? Buffer.from(given, 'hex')
      : `MERLOT_SECRET_KEY is not ${KEY_BYTES} bytes as ${KEY_BYTES * 2} hex digits`
  }
  try {
    return readKeyFile(file)
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : `cannot read the key of secrets ${file}: ${systemReason(error)}`
  }
}

function readKeyFile(file: string): Buffer | string {
  const descriptor = openSync(file, 'r')
  try {
    const { mode, size } = fstatSync(descriptor)
    // Windows has no such rights: there the folder of the user guards the file
    if (process.platform !== 'win32' && (mode & OTHERS_MAY_READ) !== 0) {
      return `others may read the key of secrets ${file}: take their rights away (chmod 600)`
    }
    const text = size > 1_024 ? '' : readFileSync(descriptor, 'utf8').trim()
    return KEY_TEXT.test(text) ? Buffer.from(text, 'hex') : `${file} does not hold a key of ${KEY_BYTES * 2} hex digits`
  } finally {
    closeSync(descriptor)
  }
}
