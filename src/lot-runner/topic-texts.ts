/** Topics come again and again: their text, and what the wildcards of a filter stand for in them, are made once. */
import { decodeText, encodeText, hashBytes, sameBytes } from '../base/bytes.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import { isValidTopicName } from '../mqtt/topic-name.js'

/** Topics remembered; then all are forgotten. */
const TOPICS_MAX = 8_192

export interface KnownTopic {
  readonly bytes: Uint8Array
  readonly text: string
  /** By filter: levels that its `+` stand for. */
  readonly captures: Map<string, readonly string[]>
}

/** From bytes to text. */
export class IncomingTopics {
  readonly #known = new Map<number, KnownTopic>()

  /** @param hash `hashBytes` of the topic */
  find(bytes: Uint8Array, at: number, length: number, hash: number): KnownTopic {
    const known = this.#known.get(hash)
    if (known !== undefined && known.bytes.length === length && sameBytes(known.bytes, 0, bytes, at, length))
      return known
    if (this.#known.size >= TOPICS_MAX) this.#known.clear()
    const topic = { bytes: bytes.slice(at, at + length), text: decodeText(bytes, at, length), captures: new Map() }
    this.#known.set(hash, topic)
    return topic
  }

  /** @returns levels of a topic that is not remembered; none where the filter does not match */
  captures(topic: string, filter: string): readonly string[] {
    return filterMatches(filter, topic) ? captureLevels(topic, filter) : []
  }
}

export interface EncodedTopic {
  /** Whether it may be published to (§4.7). */
  readonly isValid: boolean
  readonly bytes: Uint8Array
  readonly hash: number
}

/** From text to bytes. */
export class OutgoingTopics {
  readonly #known = new Map<string, EncodedTopic>()

  encode(text: string): EncodedTopic {
    let topic = this.#known.get(text)
    if (topic !== undefined) return topic
    if (this.#known.size >= TOPICS_MAX) this.#known.clear()
    const bytes = encodeText(text)
    topic = { isValid: isValidTopicName(text), bytes, hash: hashBytes(bytes, 0, bytes.length) }
    this.#known.set(text, topic)
    return topic
  }
}

/** @param filter matches the topic */
export function capturesOf(topic: KnownTopic, filter: string): readonly string[] {
  let captures = topic.captures.get(filter)
  if (captures === undefined) {
    captures = captureLevels(topic.text, filter)
    topic.captures.set(filter, captures)
  }
  return captures
}

function captureLevels(topic: string, filter: string): string[] {
  const levels = topic.split('/')
  return filter
    .split('/')
    .map((level, index) => (level === '+' ? (levels[index] ?? '') : undefined))
    .filter((level) => level !== undefined)
}
