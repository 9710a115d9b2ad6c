/** State of an instance as text: by the names of fields and topics, so that it outlives a change of the model. */

import { encodeText, isUtf8 } from '../values/text-bytes.js'
import { Absent, Json, MISSING_KEY, NO_PREVIOUS, OuterText, parseJson, textOf, type Value } from '../values/value.js'

/** Plain JSON where the value is one; otherwise an object that names the kind. */
type SavedValue =
  | string
  | number
  | boolean
  | null
  | { readonly kind: 'json' | 'outer' | 'missing' | 'bytes'; readonly text: string }

export interface InstanceState {
  readonly fields: readonly (readonly [string, Value])[]
  readonly topics: readonly (readonly [string, Uint8Array])[]
}

export function saveState({ fields, topics }: InstanceState): string {
  return JSON.stringify({
    fields: Object.fromEntries(fields.filter(([, value]) => value !== NO_PREVIOUS).map(([k, v]) => [k, saveValue(v)])),
    topics: Object.fromEntries(topics.map(([topic, payload]) => [topic, saveBytes(payload)])),
  })
}

function saveValue(value: Value): SavedValue {
  if (value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'object') return value
  if (value instanceof Json) return { kind: 'json', text: value.text }
  if (value instanceof Absent) return { kind: 'missing', text: '' }
  return saveBytes(value instanceof OuterText ? value.bytes : value)
}

function saveBytes(bytes: Uint8Array): SavedValue {
  if (isUtf8(bytes)) return { kind: 'outer', text: textOf(new OuterText(bytes)) }
  return { kind: 'bytes', text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') }
}

/** What cannot be read is as if it had never been. */
export function openState(text: string | undefined): InstanceState {
  const saved = text === undefined ? undefined : parseJson(text)
  const entries = (key: 'fields' | 'topics'): [string, Value][] => {
    if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) return []
    const group = saved[key]
    return typeof group === 'object' && group !== null
      ? Object.entries(group).map(([k, v]) => [k, openValue(v as SavedValue)])
      : []
  }
  return {
    fields: entries('fields'),
    topics: entries('topics').flatMap(([topic, value]) =>
      value instanceof OuterText ? [[topic, value.bytes] as const] : [],
    ),
  }
}

function openValue(saved: SavedValue): Value {
  if (saved === null) return undefined
  if (typeof saved !== 'object') return saved
  switch (saved.kind) {
    case 'json':
      return Json.ofText(saved.text)
    case 'missing':
      return MISSING_KEY
    case 'bytes':
      return new OuterText(new Uint8Array(Buffer.from(saved.text, 'base64')))
    default:
      return new OuterText(encodeText(saved.text))
  }
}
