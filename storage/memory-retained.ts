/** Retained messages in memory. */
import type { KeptMessage, RetainedLimits, RetainedStore, RetainedTopic } from '../src/contracts/storage.js'
import { NameTree } from '../src/mqtt/name-tree.js'

/** Milliseconds that the stamp of a cleared topic is remembered, so that a late arrival does not bring it back. */
const CLEARED_KEPT_MS = 60_000
const STEPS_PER_MS = 1_024
/** Cleared topics remembered at most. */
const CLEARED_MAX = 65_536
/** Expiring topics looked at in one sweep. */
const SWEEP_MAX = 4_096

class Held<Message> implements RetainedTopic<Message> {
  message: Message | undefined = undefined
  stamp = 0
  constructor(readonly name: string) {}
}

function newHeld<Message>(name: string): Held<Message> {
  return new Held<Message>(name)
}

export class MemoryRetained<Message extends KeptMessage<Message>> implements RetainedStore<Message> {
  readonly #topics = new NameTree<Held<Message>>()
  readonly #expiring = new Set<Held<Message>>()
  #cleared: { readonly held: Held<Message>; readonly stamp: number }[] = []
  #messages = 0
  #bytes = 0
  #lastStamp = 0

  constructor(readonly limits: RetainedLimits) {}

  get messages(): number {
    return this.#messages
  }
  get lastStamp(): number {
    return this.#lastStamp
  }
  get bytes(): number {
    return this.#bytes
  }

  nextStamp(nowMs: number, shard: number): number {
    // stays exact in a float64 for centuries; the low six bits tell shards apart
    const step = Math.floor(nowMs * (STEPS_PER_MS / 64)) * 64
    this.#lastStamp = Math.max(step, this.#lastStamp - (this.#lastStamp % 64) + 64) + shard
    return this.#lastStamp
  }

  hasRoom(topic: string, sizeBytes: number): boolean {
    const old = this.#topics.get(topic)?.message
    if (old === undefined && this.#messages >= this.limits.messagesMax) return false
    return this.#bytes - (old?.sizeBytes ?? 0) + sizeBytes <= this.limits.bytesMax
  }

  set(topic: string, message: Message, stamp: number, nowMs: number): void {
    const held = this.#take(topic, stamp)
    if (held === undefined) return
    if (message.payloadBytes === 0) {
      this.#cleared.push({ held, stamp })
      this.#forgetCleared(nowMs)
      return
    }
    this.#hold(held, message.alone(true))
  }

  restore(topic: string, message: Message, stamp: number, nowMs: number): void {
    if (message.payloadBytes === 0) {
      this.set(topic, message, stamp, nowMs)
      return
    }
    const held = this.#take(topic, stamp)
    if (held !== undefined) this.#hold(held, message)
  }

  *all(): Generator<RetainedTopic<Message>> {
    for (const held of this.#topics.values()) if (held.message !== undefined) yield held
  }

  *matching(filter: string): Generator<RetainedTopic<Message>> {
    for (const held of this.#topics.matching(filter)) if (held.message !== undefined) yield held
  }

  /** @returns its place, empty; undefined when a later message is there */
  #take(topic: string, stamp: number): Held<Message> | undefined {
    this.#lastStamp = Math.max(this.#lastStamp, stamp)
    const held = this.#topics.getOrAdd(topic, newHeld<Message>)
    if (held.stamp > stamp) return undefined
    held.stamp = stamp
    if (held.message !== undefined) {
      this.#messages--
      this.#bytes -= held.message.sizeBytes
      held.message = undefined
    }
    return held
  }

  #hold(held: Held<Message>, message: Message): void {
    held.message = message
    this.#messages++
    this.#bytes += message.sizeBytes
    if (message.expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiring.add(held)
  }

  /** Removes a message whose expiry interval has passed [MQTT-3.3.2-5]. */
  #expire(held: Held<Message>): void {
    if (held.message === undefined) return
    this.#messages--
    this.#bytes -= held.message.sizeBytes
    held.message = undefined
    this.#topics.delete(held.name)
  }

  expireSome(nowMs: number): number {
    let expired = 0
    let left = Math.min(SWEEP_MAX, this.#expiring.size) // what is put back comes round again
    for (const held of this.#expiring) {
      if (left-- === 0) break
      this.#expiring.delete(held)
      if (held.message === undefined || held.message.expiresAtMs === Number.POSITIVE_INFINITY) continue
      if (held.message.expiresAtMs > nowMs) {
        this.#expiring.add(held) // to the end: the next sweep looks at others first
        continue
      }
      this.#expire(held)
      expired++
    }
    return expired
  }

  #forgetCleared(nowMs: number): void {
    const oldest = (nowMs - CLEARED_KEPT_MS) * STEPS_PER_MS
    let gone = 0
    while (gone < this.#cleared.length) {
      const { held, stamp } = this.#cleared[gone]
      if (stamp >= oldest && this.#cleared.length - gone <= CLEARED_MAX) break
      if (held.message === undefined && held.stamp === stamp && this.#topics.get(held.name) === held) {
        this.#topics.delete(held.name)
      }
      gone++
    }
    if (gone > 1_024 || gone === this.#cleared.length) this.#cleared = this.#cleared.slice(gone)
  }
}
