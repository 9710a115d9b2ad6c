/**
 * Named pieces of state, such as the actions and models of LoT: read at a start, changed seldom, and then all of a change
 * or nothing. A value is preceded by a checksum (CRC-32, little-endian) of its key and itself.
 */
import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { decodeText, encodeText } from '../src/base/bytes.js'
import type { DefinitionChange, StoredDefinition } from '../src/contracts/lot.js'
import { type StoreEngine, type StoreReader, TABLE } from './engine.js'

export const DEFINITION_KEY_BYTES_MAX = 1_900
export const DEFINITION_BYTES_MAX = 67_108_864
const CHECKSUM_BYTES = 4
/** Half of a pair, which UTF-8 cannot express: it would become another character. */
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Changes them in one transaction, which is on disk when this returns; of two changes of one key the later one holds.
 * @throws BrokerError STORE_FULL when values are put and there is no room; RangeError for a key or value out of bounds:
 *   nothing has changed then
 */
export function saveDefinitions(engine: StoreEngine, changes: readonly DefinitionChange[]): void {
  const puts = changes.map(({ key, value }) => {
    const bytes = definitionKey(key)
    return { key: bytes, value: value === undefined ? undefined : definitionValue(bytes, value) }
  })
  if (puts.length === 0) return
  engine.commit((transaction) => {
    for (const { key, value } of puts) {
      if (value === undefined) transaction.delete(TABLE.definitions, key)
      else transaction.put(TABLE.definitions, key, value)
    }
  })
}

/** In the order of their keys' bytes; what is damaged is told with its key, and left out. */
export function* storedDefinitions(
  reader: StoreReader,
  onDamage: (what: string, key: string) => void,
): Generator<StoredDefinition> {
  for (const { key: keyBytes, value } of reader.range(TABLE.definitions)) {
    const key = decodeText(keyBytes, 0, keyBytes.length)
    const content = value.slice(CHECKSUM_BYTES)
    if (!isUtf8(keyBytes)) {
      onDamage(`a definition has the key ${Buffer.from(keyBytes).toString('hex')}, which is no UTF-8`, key)
    } else if (keyBytes.length > DEFINITION_KEY_BYTES_MAX) {
      onDamage(`the definition ${key} has a key of ${keyBytes.length} bytes`, key)
    } else if (content.length > DEFINITION_BYTES_MAX) onDamage(`the definition ${key} has ${content.length} bytes`, key)
    else if (value.length < CHECKSUM_BYTES || readChecksum(value) !== checksumOf(keyBytes, content)) {
      onDamage(`the definition ${key} has a wrong checksum`, key)
    } else yield { key, value: content }
  }
}

/** @throws RangeError */
export function definitionKey(key: string): Uint8Array {
  const problem = definitionKeyProblem(key)
  if (problem !== undefined) throw new RangeError(`the key of a definition ${problem}`)
  return encodeText(key)
}

/** Whether UTF-8 can express it as it is. */
export function isUnicode(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/** @returns what is wrong with it, behind "the key"; undefined for a good one */
export function definitionKeyProblem(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (!isUnicode(key)) return 'is no text that UTF-8 can express'
  const bytes = Buffer.byteLength(key)
  return bytes > DEFINITION_KEY_BYTES_MAX ? `has ${bytes} bytes, more than ${DEFINITION_KEY_BYTES_MAX}` : undefined
}

/** As it is stored. @throws RangeError */
export function definitionValue(key: Uint8Array, content: Uint8Array): Uint8Array {
  if (content.length > DEFINITION_BYTES_MAX) {
    throw new RangeError(`a definition has ${content.length} bytes, more than ${DEFINITION_BYTES_MAX}`)
  }
  const value = new Uint8Array(CHECKSUM_BYTES + content.length)
  value.set(content, CHECKSUM_BYTES)
  new DataView(value.buffer).setUint32(0, checksumOf(key, value.subarray(CHECKSUM_BYTES)), true)
  return value
}

/** What stands before the first slash of a key: `action`, `model`, … */
export function kindOfDefinition(key: string): string {
  const end = key.indexOf('/')
  return end === -1 ? key : key.slice(0, end)
}

function checksumOf(key: Uint8Array, content: Uint8Array): number {
  return crc32(content, crc32(key)) >>> 0
}

function readChecksum(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true)
}
