/** `GET JSON "a.b[0].c"`. A path is parsed once; a key that is not there, or null, is MISSING_KEY. */
import { jsonSlice } from './json-slice.js'
import { fromJson, Json, type JsonData, jsonDataOf, MISSING_KEY, textOf, type Value } from './value.js'

/** Keys in order; an array takes those that are whole numbers as positions from 0. */
export type JsonPath = readonly string[]

/** `items.0.id` and `items[0].id` are the same. The empty path is the whole. */
export function parseJsonPath(text: string): JsonPath {
  const keys: string[] = []
  for (const [, index, quoted, key] of text.matchAll(/\[\s*(\d+)\s*\]|\["([^"]*)"\]|([^.[\]]+)/g)) {
    keys.push(index ?? quoted ?? key)
  }
  return keys
}

/** @returns undefined where the path leads nowhere */
export function follow(data: JsonData | undefined, path: JsonPath): JsonData | undefined {
  let at = data
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    if (Array.isArray(at)) at = POSITION.test(key) ? at[Number(key)] : undefined
    else at = Object.hasOwn(at, key) ? at[key] : undefined
  }
  return at
}

const POSITION = /^\d{1,9}$/

export function getJson(source: Value, path: JsonPath): Value {
  if (source === undefined) return MISSING_KEY
  const data = follow(jsonDataOf(source), path)
  if (typeof data !== 'object' || data === null) return fromJson(data)
  // Objects and arrays are given on as they were written.
  const written = jsonSlice(textOf(source), path)
  return written === undefined ? fromJson(data) : Json.ofText(written)
}
