/** A definition as a line of an export: text where it is some, so that people can read and compare it. */
import { isUtf8 } from 'node:buffer'
import type { StoredDefinition } from '../src/contracts/lot.js'
import { DEFINITION_BYTES_MAX, definitionKeyProblem, isUnicode } from './definitions.js'
import { must } from './line-problem.js'
import { bytesOfBase64, type JsonObject } from './store-json.js'

/** With either `text` or `bytes`. */
export interface DefinitionLine {
  readonly type: 'definition'
  readonly key: string
  readonly text?: string
  /** Base64, of what is not UTF-8. */
  readonly bytes?: string
}

export function definitionLine({ key, value }: StoredDefinition): DefinitionLine {
  const bytes = Buffer.from(value)
  const content = isUtf8(bytes) ? { text: bytes.toString() } : { bytes: bytes.toString('base64') }
  return { type: 'definition', key, ...content }
}

/** Of a line that `asDefinitionLine` has taken. */
export function definitionOf({ key, text, bytes = '' }: DefinitionLine): StoredDefinition {
  return { key, value: text === undefined ? Buffer.from(bytes, 'base64') : Buffer.from(text) }
}

/** @throws LineProblem */
export function asDefinitionLine(line: JsonObject): DefinitionLine {
  const { key, text, bytes } = line
  must(typeof key === 'string', 'key must be text')
  const problem = definitionKeyProblem(key)
  must(problem === undefined, `its key ${problem}`)
  must((text === undefined) !== (bytes === undefined), 'a definition has either text or bytes')
  must(text === undefined || (typeof text === 'string' && isUnicode(text)), 'text must be text')
  must(bytes === undefined || bytesOfBase64(bytes) !== undefined, 'bytes must be base64')
  const definition = line as JsonObject & DefinitionLine
  must(definitionOf(definition).value.length <= DEFINITION_BYTES_MAX, `it has more than ${DEFINITION_BYTES_MAX} bytes`)
  return definition
}
