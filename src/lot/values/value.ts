/**
 * What a LoT expression yields. Text, numbers and booleans are those of JavaScript; `undefined` is empty; the rest have
 * classes of their own:
 *   OuterText   text that came from outside without a cast: a payload, another topic, the answer of a call
 *   Json        JSON whose text or data is made when somebody asks
 *   Absent      empty for every test, but with a text or a default of its own
 *   Uint8Array  what `AS BYTES` yields: never looked into
 */

import { numberToText } from './number-text.js'
import { decodeText, encodeText } from './text-bytes.js'

export type Value = string | number | boolean | undefined | OuterText | Json | Absent | Uint8Array

/** Anything that JSON can say. */
export type JsonData = string | number | boolean | null | JsonData[] | { [key: string]: JsonData }

/** Bytes of a payload that are text as soon as somebody reads them. The bytes are shared and never changed. */
export class OuterText {
  #text: string | undefined
  #json: JsonData | undefined
  #isParsed = false

  constructor(readonly bytes: Uint8Array) {}

  static of(text: string): OuterText {
    const outer = new OuterText(encodeText(text))
    outer.#text = text
    return outer
  }

  get text(): string {
    this.#text ??= decodeText(this.bytes)
    return this.#text
  }

  /** undefined if the text is not JSON. */
  get json(): JsonData | undefined {
    if (!this.#isParsed) {
      this.#json = parseJson(this.text)
      this.#isParsed = true
    }
    return this.#json
  }
}

/** Made from text that is known to be JSON, or from data. Neither is ever changed. */
export class Json {
  #text: string | undefined
  #data: JsonData | undefined

  private constructor(text: string | undefined, data: JsonData | undefined) {
    this.#text = text
    this.#data = data
  }

  static ofText(text: string): Json {
    return new Json(text, undefined)
  }

  static ofData(data: JsonData): Json {
    return new Json(undefined, data)
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#data)
    return this.#text
  }

  get data(): JsonData {
    if (this.#data === undefined) this.#data = JSON.parse(this.#text ?? 'null') as JsonData
    return this.#data
  }
}

export class Absent {
  constructor(readonly text: string) {}
}

/** A JSON key that is not there, or null. Its casts are 0, 0.0 and false, and its text is `null`. */
export const MISSING_KEY = new Absent('null')
/** The previous value of a model field that was never evaluated: empty for tests, 0 and false where a type asks. */
export const NO_PREVIOUS = new Absent('')

/** @returns undefined if `text` is not JSON */
export function parseJson(text: string): JsonData | undefined {
  try {
    return JSON.parse(text) as JsonData
  } catch {
    return undefined
  }
}

export function textOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return numberToText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'undefined':
      return ''
    default:
      return value instanceof Uint8Array ? decodeText(value) : value.text
  }
}

/** What is published. @returns bytes that the caller must not change: they may be those of a payload or a literal */
export function bytesOf(value: Value): Uint8Array {
  if (value instanceof OuterText) return value.bytes
  if (value instanceof Uint8Array) return value
  return encodeText(textOf(value))
}

/** `== EMPTY`: no value, no such key, or no text. */
export function isEmpty(value: Value): boolean {
  if (value === undefined || value === '' || value instanceof Absent) return true
  if (value instanceof OuterText) return value.bytes.length === 0
  return value instanceof Uint8Array && value.length === 0
}

/** The value that data from JSON stands for: null is a missing key, objects and arrays stay JSON. */
export function fromJson(data: JsonData | undefined): Value {
  if (data === null || data === undefined) return MISSING_KEY
  return typeof data === 'object' ? Json.ofData(data) : data
}

/** JSON that a value stands for when a path leads into it; undefined if it is not JSON. */
export function jsonDataOf(value: Value): JsonData | undefined {
  if (value instanceof OuterText) return value.json
  if (value instanceof Json) return value.data
  if (typeof value === 'string') return parseJson(value)
  if (value instanceof Uint8Array) return parseJson(decodeText(value))
  if (value instanceof Absent) return undefined
  return value
}
