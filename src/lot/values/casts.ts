/** `AS type`. A value that is empty stays empty, so that it can still be told from 0; a missing JSON key does not. */

import { unreachable } from '../../base/errors.js'
import type { CastType } from '../tree.js'
import { parseNumber, parseNumberBytes } from './number-text.js'
import { instantOf, isoText } from './timestamp.js'
import { Absent, bytesOf, Json, jsonDataOf, MISSING_KEY, NO_PREVIOUS, OuterText, textOf, type Value } from './value.js'

/** The number that a value is or whose text it is; booleans, empty and other text are none. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'string') return parseNumber(value)
  if (value instanceof OuterText) return parseNumberBytes(value.bytes)
  if (value instanceof Json || value instanceof Uint8Array) return parseNumber(textOf(value))
  return undefined
}

/** The operand of an arithmetic operator: what is not a number counts as 0. */
export function operandOf(value: Value): number {
  return typeof value === 'number' ? value : (numberOf(value) ?? 0)
}

/** The boolean that a value is or whose name it is, in any case. */
export function booleanOf(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' || value === undefined || value instanceof Absent) return undefined
  if (value instanceof OuterText && value.bytes.length > BOOLEAN_LENGTH_MAX) return undefined
  const text = textOf(value)
  if (text.length > BOOLEAN_LENGTH_MAX) return undefined
  const word = text.trim().toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : undefined
}

/** A word and some white space; longer text is not looked at. */
const BOOLEAN_LENGTH_MAX = 16

/** What a condition holds for, and what `AS BOOL` makes of a value that is not empty. */
export function truthOf(value: Value): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value === 1
  if (value === undefined || value instanceof Absent) return false
  const text = textOf(value)
  return text === 'true' || text === '1' || text === 'True' || text === 'TRUE'
}

export function toDouble(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (value instanceof OuterText) return parseNumberBytes(value.bytes) ?? truthNumber(value)
  if (value === undefined) return undefined
  return numberOf(value) ?? truthNumber(value)
}

/** Only a real boolean is a number; the text `true` is not. */
function truthNumber(value: Value): number {
  return value === true ? 1 : 0
}

export function toInt(value: Value): number | undefined {
  const double = toDouble(value)
  // Adding 0 turns -0 into 0.
  return double === undefined ? undefined : Math.trunc(double) + 0
}

function toTimestamp(value: Value): string | undefined {
  const instant = instantOf(value instanceof Absent ? undefined : (numberOf(value) ?? textOf(value)))
  return instant === undefined ? undefined : isoText(instant)
}

function toContainer(value: Value, isWanted: (data: object) => boolean): Json | undefined {
  const data = jsonDataOf(value)
  if (typeof data !== 'object' || data === null || !isWanted(data)) return undefined
  return value instanceof Json ? value : Json.ofText(textOf(value).trim())
}

export function cast(value: Value, type: CastType): Value {
  if (value === undefined || (value === NO_PREVIOUS && type !== 'BYTES')) return value
  switch (type) {
    case 'INT':
      return toInt(value)
    case 'DOUBLE':
    case 'FLOAT':
      return toDouble(value)
    case 'BOOL':
      return truthOf(value)
    case 'STRING':
      return value === MISSING_KEY ? value : textOf(value)
    case 'TIMESTAMP':
      return toTimestamp(value)
    case 'ARRAY':
      return toContainer(value, Array.isArray)
    case 'OBJECT':
      return toContainer(value, (data) => !Array.isArray(data))
    case 'BYTES':
      return bytesOf(value)
    default:
      return unreachable(type)
  }
}
