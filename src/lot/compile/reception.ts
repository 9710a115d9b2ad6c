/** A model without fields takes apart the JSON objects on its topic: each key has a topic of its own. */
import type { Effect, Occasion } from '../program.js'
import { decodeText, encodeText } from '../values/text-bytes.js'
import { type JsonData, parseJson } from '../values/value.js'

/** Deeper objects are published as one JSON text. */
const DEPTH_MAX = 16

/** What is not an object has nothing to be taken apart. */
export function explode(occasion: Occasion, qos: 0 | 1 | 2, retain: boolean, effects: Effect[]): void {
  const data = occasion.payload === undefined ? undefined : parseJson(decodeText(occasion.payload))
  if (!isObject(data)) return
  const publishAll = (object: { [key: string]: JsonData }, above: string, depth: number): void => {
    for (const [key, value] of Object.entries(object)) {
      if (key === '') continue
      // A key is one name in a topic, so it must not be a wildcard there.
      const topic = `${above}/${key.replace(/[+#\0]/g, '_')}`
      if (isObject(value) && depth < DEPTH_MAX) publishAll(value, topic, depth + 1)
      else effects.push({ kind: 'publish', topic, payload: encodeText(bareText(value)), qos, retain })
    }
  }
  publishAll(data, occasion.topic, 1)
}

function isObject(data: JsonData | undefined): data is { [key: string]: JsonData } {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

function bareText(value: JsonData): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
