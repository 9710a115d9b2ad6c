/** How values stand in JSON: in the bodies of actions, and in the typed fields of models. */
import { unreachable } from '../../base/errors.js'
import type { FieldType } from '../tree.js'
import { toDouble, toInt, truthOf } from './casts.js'
import { numberToText } from './number-text.js'
import { Absent, Json, jsonDataOf, MISSING_KEY, NO_PREVIOUS, OuterText, textOf, type Value } from './value.js'

const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/

export function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Longer text is no number that anybody means. */
const SCALAR_LENGTH_MAX = 40

/** Text from outside that is a number or boolean of JSON stands as such; `007` and `+5` are not, and stay text. */
function outerJson(outer: OuterText): string {
  if (outer.bytes.length > SCALAR_LENGTH_MAX) return quote(outer.text)
  const { text } = outer
  const trimmed = text.trim()
  if (JSON_NUMBER.test(trimmed)) return trimmed
  const word = trimmed.toLowerCase()
  return word === 'true' || word === 'false' ? word : quote(text)
}

/** The JSON of a value without a type of its own. */
export function jsonTextOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return value - value === 0 ? numberToText(value) : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'undefined':
      return 'null'
    default:
      if (value instanceof OuterText) return outerJson(value)
      if (value instanceof Json) return value.text
      return value instanceof Absent ? 'null' : quote(textOf(value))
  }
}

/** The value that a typed field holds; undefined is null. A field never evaluated has its type's default. */
export function toFieldType(value: Value, type: FieldType | undefined): Value {
  if (type === undefined) return value === NO_PREVIOUS ? undefined : value
  if (value === undefined) return undefined
  switch (type) {
    case 'INT':
      return toInt(value)
    case 'DOUBLE':
    case 'FLOAT':
      return toDouble(value)
    case 'BOOL':
      return truthOf(value)
    case 'STRING':
    case 'TIMESTAMP':
      return value === MISSING_KEY ? undefined : textOf(value)
    case 'OBJECT':
    case 'ARRAY':
      return toRawJson(value)
    default:
      return unreachable(type)
  }
}

/** Text that is JSON embeds as it is; other text as a JSON string, so that the whole stays JSON. */
function toRawJson(value: Value): Value {
  if (value instanceof Json) return value
  if (value instanceof Absent) return undefined
  const data = jsonDataOf(value)
  return data === undefined || data === null ? textOf(value) : Json.ofText(textOf(value).trim())
}

/** An untyped field whose source is text that is a number or boolean stays unquoted, whatever it came from. */
export function fieldJsonText(value: Value, type: FieldType | undefined): string {
  if (type === undefined && typeof value === 'string') return outerJson(OuterText.of(value))
  return jsonTextOf(value)
}
