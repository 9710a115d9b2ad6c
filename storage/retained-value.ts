/** A retained message as bytes: stamp, then a log value without receivers. */
import type { LoggedMessage } from '../src/contracts/storage.js'
import { NUMBER_KEY_BYTES, readNumberKey } from './keys.js'
import { readLogValue, ValueMemory } from './log-value.js'

/** The stamp comes first, so that the storage thread can compare it without reading the rest. */
export const STAMP_BYTES = NUMBER_KEY_BYTES

export function stampOf(value: Uint8Array): number {
  return readNumberKey(value)
}

/** @returns what it says, in `memory`; undefined if it is damaged */
export function readRetainedValue(
  value: Uint8Array,
  memory = new ValueMemory(),
): { stamp: number; message: LoggedMessage } | undefined {
  if (value.length < STAMP_BYTES) return undefined
  const read = readLogValue(value, memory, STAMP_BYTES)
  return read === undefined ? undefined : { stamp: stampOf(value), message: read.message }
}
