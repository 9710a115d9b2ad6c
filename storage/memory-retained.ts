/** Retained messages in memory. */
import type {
  KeptMessage,
  RetainedLimits,
  RetainedStore,
  RetainedTopic,
  UnreadRetained,
} from '../src/contracts/storage.js'
import { NameTree } from '../src/mqtt/name-tree.js'

/** Milliseconds that the stamp of a cleared topic is remembered, so that a late arrival does not bring it back. */
const CLEARED_KEPT_MS = 60_000
const STEPS_PER_MS = 1_024
/** Cleared topics remembered at most. */
const CLEARED_MAX = 65_536
/** The same while the store is read, which may still have what was cleared: more than fit into the rings towards it. */
const CLEARED_LOADING_MAX = 262_144
/** Expiring topics looked at in one sweep. */
const SWEEP_MAX = 4_096

class Held<Message> implements RetainedTopic<Message> {
  message: Message | undefined = undefined
  stamp = -1
  arrival = 0
  /** What the broker says of itself takes no room from clients. */
  readonly isCounted: boolean
  constructor(readonly name: string) {
    this.isCounted = !isOfBroker(name)
  }
}

function isOfBroker(topic: string): boolean {
  return topic.startsWith('$SYS/')
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
  #arrivals = 0
  /** undefined when all are here. */
  #unread: UnreadRetained | undefined

  onChange: ((topic: string) => void) | undefined = undefined

  constructor(readonly limits: RetainedLimits) {}

  get messages(): number {
    return this.#messages
  }
  get arrivals(): number {
    return this.#arrivals
  }
  get isLoaded(): boolean {
    return this.#unread === undefined
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
    if (isOfBroker(topic)) return true
    const held = this.#topics.get(topic)
    const old = held?.message
    const left = this.#unread?.left ?? 0
    if (old === undefined && this.#messages + left >= this.limits.messagesMax) {
      // it may take the place of one that is still to be read
      if (held !== undefined || !this.#unread?.has(topic)) return false
    }
    // nobody has counted the bytes that are still to be read: they are taken to be as those that are here
    const leftBytes = left === 0 || this.#messages === 0 ? 0 : (left * this.#bytes) / this.#messages
    return this.#bytes + leftBytes - (old?.sizeBytes ?? 0) + sizeBytes <= this.limits.bytesMax
  }

  set(topic: string, message: Message, stamp: number, nowMs: number, reachesSubscribers: boolean): void {
    this.#lastStamp = Math.max(this.#lastStamp, stamp)
    const held = this.#topics.getOrAdd(topic, newHeld<Message>)
    if (held.stamp > stamp) return
    this.#empty(held)
    held.stamp = stamp
    held.arrival = reachesSubscribers ? ++this.#arrivals : 0
    if (message.payloadBytes === 0) {
      this.#cleared.push({ held, stamp })
      this.#forgetCleared(nowMs)
    } else this.#hold(held, message.alone(true))
    this.onChange?.(topic)
  }

  find(topic: string): Message | undefined {
    const held = this.#topics.get(topic)
    if (held !== undefined || this.#unread === undefined) return held?.message
    this.#unread.read(topic)
    return this.#topics.get(topic)?.message
  }

  beginLoading(unread: UnreadRetained, lastStamp: number): void {
    this.#unread = unread
    this.#lastStamp = Math.max(this.#lastStamp, lastStamp)
  }

  restore(topic: string, message: Message, stamp: number): void {
    if (message.payloadBytes === 0) return
    this.#lastStamp = Math.max(this.#lastStamp, stamp)
    const held = this.#topics.getOrAdd(topic, newHeld<Message>)
    // of the same stamp where it came from a client while the store was read
    if (held.stamp >= stamp) return
    this.#empty(held)
    held.stamp = stamp
    this.#hold(held, message)
  }

  endLoading(nowMs: number): void {
    this.#unread = undefined
    this.#forgetCleared(nowMs)
  }

  *all(): Generator<RetainedTopic<Message>> {
    for (const held of this.#topics.each()) if (held.message !== undefined) yield held
  }

  *matching(filter: string): Generator<RetainedTopic<Message>> {
    for (const held of this.#topics.matching(filter)) if (held.message !== undefined) yield held
  }

  #empty(held: Held<Message>): void {
    if (held.message === undefined) return
    if (held.isCounted) {
      this.#messages--
      this.#bytes -= held.message.sizeBytes
    }
    held.message = undefined
  }

  #hold(held: Held<Message>, message: Message): void {
    held.message = message
    if (held.isCounted) {
      this.#messages++
      this.#bytes += message.sizeBytes
    }
    if (message.expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiring.add(held)
  }

  /** Removes a message whose expiry interval has passed [MQTT-3.3.2-5]. */
  #expire(held: Held<Message>): void {
    this.#empty(held)
    // the store may still have an older one
    if (this.#unread !== undefined) this.#cleared.push({ held, stamp: held.stamp })
    else this.#topics.delete(held.name)
    this.onChange?.(held.name)
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
    const isLoaded = this.#unread === undefined
    const oldest = isLoaded ? (nowMs - CLEARED_KEPT_MS) * STEPS_PER_MS : 0
    const countMax = isLoaded ? CLEARED_MAX : CLEARED_LOADING_MAX
    let gone = 0
    while (gone < this.#cleared.length) {
      const { held, stamp } = this.#cleared[gone]
      if (stamp >= oldest && this.#cleared.length - gone <= countMax) break
      if (held.message === undefined && held.stamp === stamp && this.#topics.get(held.name) === held) {
        this.#topics.delete(held.name)
      }
      gone++
    }
    if (gone > 1_024 || gone === this.#cleared.length) this.#cleared = this.#cleared.slice(gone)
  }
}
