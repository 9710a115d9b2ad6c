/** The effects of one batch as bytes, in the layout of contracts/lot-batch.ts. */
import { aligned8 } from '../base/ring.js'
import { RETAIN } from '../contracts/lot.js'
import {
  BY_PUBLISH_MODEL,
  EFFECT_DEPTH,
  EFFECT_FLAGS,
  EFFECT_HEADER_BYTES,
  EFFECT_KIND,
  EFFECT_PAYLOAD_BYTES,
  EFFECT_TOPIC_BYTES,
  EFFECT_TOPIC_HASH,
  EffectKind,
} from '../contracts/lot-batch.js'
import type { Effect } from '../lot/program.js'
import { OutgoingTopics } from './topic-texts.js'

const BYTES_MIN = 4_096
/** Longer payloads are copied by the engine, shorter ones faster here. */
const SHORT_BYTES = 48
const NOTHING = new Uint8Array(0)

export class EffectWriter {
  readonly #topics = new OutgoingTopics()
  #buffer = new ArrayBuffer(BYTES_MIN)
  #ints = new Int32Array(this.#buffer)
  #bytes = new Uint8Array(this.#buffer)
  #used = 0

  get used(): number {
    return this.#used
  }

  /** @throws Error if there is a message among them that cannot be published */
  check(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'publish' && effect.kind !== 'keep') continue
      if (!this.#topics.encode(effect.topic).isValid) throw new Error(`"${effect.topic}" is not a topic to publish to`)
    }
  }

  /** @param depth of the run that had the effect */
  write(effect: Effect, depth: number): void {
    switch (effect.kind) {
      case 'publish':
        this.#append(EffectKind.PUBLISH, flagsOf(effect), depth, effect.topic, effect.payload)
        return
      case 'keep':
        if (effect.payload === undefined) this.#append(EffectKind.CLEAR, 0, depth, effect.topic, NOTHING)
        else this.#append(EffectKind.KEEP, 0, depth, effect.topic, effect.payload)
        return
      case 'routeEvent': {
        const { payload, ...rest } = effect
        this.#append(EffectKind.OTHER, 0, depth, JSON.stringify(rest), payload)
        return
      }
      default:
        this.#append(EffectKind.OTHER, 0, depth, JSON.stringify(effect), NOTHING)
    }
  }

  /** Hands over what was written and begins anew, with room for as much again. */
  take(): { readonly effects: ArrayBuffer; readonly effectsBytes: number } {
    const taken = { effects: this.#buffer, effectsBytes: this.#used }
    let capacity = BYTES_MIN
    while (capacity < this.#used) capacity *= 2
    this.#begin(capacity)
    return taken
  }

  #begin(capacity: number): void {
    this.#buffer = new ArrayBuffer(capacity)
    this.#ints = new Int32Array(this.#buffer)
    this.#bytes = new Uint8Array(this.#buffer)
    this.#used = 0
  }

  #append(kind: number, flags: number, depth: number, topic: string, payload: Uint8Array): void {
    const { bytes: topicBytes, hash } = this.#topics.encode(topic)
    const length = aligned8(EFFECT_HEADER_BYTES + topicBytes.length + payload.length)
    if (this.#used + length > this.#bytes.length) this.#grow(this.#used + length)
    const at = this.#used
    const i = at >> 2
    const ints = this.#ints
    ints[i] = length
    ints[i + EFFECT_KIND] = kind
    ints[i + EFFECT_FLAGS] = flags
    ints[i + EFFECT_DEPTH] = depth
    ints[i + EFFECT_TOPIC_HASH] = hash
    ints[i + EFFECT_TOPIC_BYTES] = topicBytes.length
    ints[i + EFFECT_PAYLOAD_BYTES] = payload.length
    copy(topicBytes, this.#bytes, at + EFFECT_HEADER_BYTES)
    copy(payload, this.#bytes, at + EFFECT_HEADER_BYTES + topicBytes.length)
    this.#used = at + length
  }

  #grow(needed: number): void {
    const { used } = this
    const old = this.#bytes
    let capacity = old.length * 2
    while (capacity < needed) capacity *= 2
    this.#begin(capacity)
    this.#bytes.set(old.subarray(0, used))
    this.#used = used
  }
}

function flagsOf({ qos, retain, byPublishModel }: Extract<Effect, { kind: 'publish' }>): number {
  return qos | (retain ? RETAIN : 0) | (byPublishModel ? BY_PUBLISH_MODEL : 0)
}

function copy(source: Uint8Array, target: Uint8Array, to: number): void {
  if (source.length > SHORT_BYTES) target.set(source, to)
  else for (let i = 0; i < source.length; i++) target[to + i] = source[i]
}
