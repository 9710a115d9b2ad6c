/** Bytes by hand, for tests that need packets which no encoder would make. */
import { BrokerError, type ErrorCode } from '../base/errors.js'
import { writeVarint } from './varint.js'

/** A field with its two bytes of length. */
export function field(value: string | readonly number[]): number[] {
  const bytes = typeof value === 'string' ? [...Buffer.from(value)] : value
  return [bytes.length >> 8, bytes.length & 255, ...bytes]
}

/** Shortest form. */
export function varint(value: number): number[] {
  const bytes = new Uint8Array(4)
  return [...bytes.subarray(0, writeVarint(bytes, 0, value))]
}

/** Property length and properties. */
export function block(...properties: readonly (readonly number[])[]): number[] {
  const bytes = properties.flat()
  return [...varint(bytes.length), ...bytes]
}

/** A whole packet with the right remaining length. */
export function wire(firstByte: number, ...parts: readonly (readonly number[])[]): Uint8Array {
  const body = parts.flat()
  return Uint8Array.from([firstByte, ...varint(body.length), ...body])
}

/**
 * @returns the code of the BrokerError that `action` throws, `undefined` when it throws none. Rethrows anything else, also
 * a BrokerError with a cause: then the library objected to bytes that our own checks should have refused.
 */
export function refusalOf(action: () => unknown): ErrorCode | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof BrokerError && error.cause === undefined) return error.code
    throw error
  }
}
