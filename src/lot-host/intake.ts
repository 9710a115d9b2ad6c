/** From messages to mailboxes. Nothing here makes text or objects of a message on a topic that is known. */
import { decodeText } from '../base/bytes.js'
import { RateLimitedLog } from '../base/log-rate.js'
import {
  DEPTH_SHIFT,
  LOT_CLIENT,
  LOT_CLIENT_BYTES,
  LOT_FLAGS,
  LOT_IDENTITY,
  LOT_IDENTITY_BYTES,
  LOT_NUMBER,
  LOT_PAYLOAD,
  LOT_PAYLOAD_BYTES,
  LOT_TOPIC,
  LOT_TOPIC_BYTES,
  LOT_TOPIC_HASH,
  type SessionEvent,
} from '../contracts/lot.js'
import { EventKind } from '../contracts/lot-batch.js'
import { SLOT } from '../contracts/records.js'
import type { Identity } from '../contracts/security.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import type { Dispatcher } from './dispatcher.js'
import type { Entity, HeldAnswer } from './entity.js'
import type { HostState } from './host-state.js'
import type { Instance } from './instance.js'
import type { Piece } from './mailbox.js'
import type { Destination, Topic } from './topics.js'

/**
 * Bytes of all mailboxes together up to which stopped entities keep messages: those that run must find room.
 * @param limits of the configuration
 */
export function keptBytesMax({ mailboxBytesMax }: { readonly mailboxBytesMax: number }): number {
  return mailboxBytesMax / 2
}

/** What an event takes besides its bytes, about. */
const EVENT_OVERHEAD_BYTES = 64
const NO_BYTES = new Uint8Array(0)

export class Intake {
  /** Written over for each message. */
  readonly #topic: Piece = { bytes: NO_BYTES, at: 0, length: 0 }
  readonly #payload: Piece = { bytes: NO_BYTES, at: 0, length: 0 }
  readonly #client: Piece = { bytes: NO_BYTES, at: 0, length: 0 }
  readonly #noClient: Piece = { bytes: NO_BYTES, at: 0, length: 0 }
  readonly #facts = { kind: EventKind.MESSAGE as number, depth: 0, input: 0, topicHash: 0, number: 0 }
  readonly #dropLog: RateLimitedLog
  readonly #messagesMax: number
  readonly #bytesMax: number

  constructor(
    readonly state: HostState,
    readonly dispatcher: Dispatcher,
    readonly isTraced: (entity: Entity) => boolean,
  ) {
    const { mailboxMessagesMax, mailboxBytesMax } = state.config.lot
    this.#messagesMax = mailboxMessagesMax
    this.#dropLog = new RateLimitedLog(state.log, () => state.clock.now())
    this.#bytesMax = mailboxBytesMax
  }

  /** Hot: every message that a shard sends. */
  message(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    const topicAt = at + ints[i + LOT_TOPIC]
    const topicBytes = ints[i + LOT_TOPIC_BYTES]
    const payloadAt = at + ints[i + LOT_PAYLOAD]
    const payloadBytes = ints[i + LOT_PAYLOAD_BYTES]
    const hash = ints[i + LOT_TOPIC_HASH]
    const number = ints[i + LOT_NUMBER]
    const topic = this.state.topics.find(bytes, topicAt, topicBytes, hash)
    place(this.#payload, bytes, payloadAt, payloadBytes)
    place(this.#client, bytes, at + ints[i + LOT_CLIENT], ints[i + LOT_CLIENT_BYTES])
    if (topic.use !== undefined) {
      const json = decodeText(bytes, at + ints[i + LOT_IDENTITY], ints[i + LOT_IDENTITY_BYTES])
      this.#tell(topic, json === '' ? undefined : (JSON.parse(json) as Identity))
    }
    const flags = ints[i + LOT_FLAGS]
    // that of LoT itself is older than its way through a shard
    const depth = flags >> DEPTH_SHIFT
    const isCertain = depth === 0 && (flags & 3) > 0
    const asked = number === 0 ? undefined : { shard: ints[i + SLOT], number }
    const triggers = depth === 0 || depth < this.state.config.lot.chainDepthMax
    const isTaken = !triggers || this.#deliver(topic, hash, depth, isCertain, asked)
    if (!isTaken && number !== 0) this.state.shards.answer(ints[i + SLOT], number, false)
    else if (topic.isRead) this.#keepValue(topic, hash)
  }

  /**
   * Hot: what an entity publishes, to the others.
   * @param depth of the runs that it triggers; undefined if it triggers none
   */
  own(
    topic: Topic,
    hash: number,
    depth: number | undefined,
    bytes: Uint8Array,
    payloadAt: number,
    payloadBytes: number,
  ): void {
    place(this.#payload, bytes, payloadAt, payloadBytes)
    place(this.#client, bytes, 0, 0)
    if (topic.use !== undefined) this.#tell(topic, undefined)
    if (depth !== undefined) this.#deliver(topic, hash, depth, false, undefined)
    if (topic.isRead) this.#keepValue(topic, hash)
  }

  /** A run that no message makes. @returns whether there was room for it */
  moment(entity: Entity): boolean {
    if (!this.#hasRoom(entity, false, EVENT_OVERHEAD_BYTES)) return false
    this.#facts.kind = EventKind.MOMENT
    this.#set(0, 0, 0)
    entity.mailbox.append(this.#facts, undefined)
    this.#facts.kind = EventKind.MESSAGE
    this.dispatcher.ready(entity)
    return true
  }

  session(event: SessionEvent): void {
    let words: Piece | undefined
    for (const entity of this.state.entities.values()) {
      const { session } = entity.plan
      if (session?.kind !== event.hook) continue
      if (session.kind === 'subscribe' && !isMeant(session.filter?.value, event.filter)) continue
      if (!this.#hasRoom(entity, false, EVENT_OVERHEAD_BYTES)) continue
      words ??= textPiece(JSON.stringify(sessionWords(event)))
      this.#facts.kind = EventKind.SESSION
      this.#set(0, 0, 0)
      entity.mailbox.append(this.#facts, undefined, undefined, undefined, words)
      this.#facts.kind = EventKind.MESSAGE
      this.dispatcher.ready(entity)
    }
  }

  /** `-runAction`. @param json of a `RunRequest` @returns whether there was room for it; who asks is told otherwise */
  request(entity: Entity, number: number, json: string): boolean {
    const words = textPiece(json)
    const bytes = this.state.total.bytes + EVENT_OVERHEAD_BYTES + words.length
    if (entity.mailbox.waiting >= this.#messagesMax || bytes > this.#bytesMax) return false
    this.#facts.kind = EventKind.REQUEST
    this.#set(0, 0, 0)
    this.#facts.number = number
    entity.mailbox.append(this.#facts, undefined, undefined, undefined, words)
    this.#facts.kind = EventKind.MESSAGE
    this.#facts.number = 0
    this.dispatcher.ready(entity)
    return true
  }

  /** Publishers that waited for room in this mailbox are answered if there is some. */
  release(entity: Entity): void {
    if (entity.held.length === 0 || entity.mailbox.waiting >= this.#messagesMax) return
    for (const answer of entity.held.splice(0)) {
      if (--answer.waiting === 0) this.state.shards.answer(answer.shard, answer.number, true)
    }
  }

  /** @returns false if there was no room, and the publisher shall be told so */
  #deliver(
    topic: Topic,
    hash: number,
    depth: number,
    isCertain: boolean,
    asked: { readonly shard: number; readonly number: number } | undefined,
  ): boolean {
    const size = topic.bytes.length + this.#payload.length + EVENT_OVERHEAD_BYTES
    if (asked !== undefined && this.state.total.bytes + size * copiesOfAll(topic) > this.#bytesMax) {
      for (const { entity } of topic.destinations) this.#drop(entity, 'too much waits for all of LoT')
      return false
    }
    place(this.#topic, topic.bytes, 0, topic.bytes.length)
    let held: HeldAnswer | undefined
    for (const destination of topic.destinations) {
      const { entity } = destination
      if (!this.#hasRoom(entity, isCertain, size * copiesOf(destination))) continue
      if (entity.plan.isOnChange) {
        const { bytes, at, length } = this.#payload
        if (!entity.isChange(topic.text, bytes, at, length)) continue
      }
      this.#append(destination, hash, depth, isCertain)
      this.dispatcher.ready(entity)
      // nobody waits for a stopped one: it may be days until somebody deploys it
      if (asked === undefined || entity.isClosed || entity.mailbox.waiting <= this.#messagesMax) continue
      held ??= { ...asked, waiting: 0 }
      held.waiting++
      entity.held.push(held)
    }
    if (asked !== undefined && held === undefined) this.state.shards.answer(asked.shard, asked.number, true)
    return true
  }

  #append(destination: Destination, hash: number, depth: number, isCertain: boolean): void {
    const { entity, input, instance } = destination
    const client = this.isTraced(entity) ? this.#client : this.#noClient
    this.#set(depth, input, hash)
    this.#facts.number = isCertain ? 1 : 0
    this.#appendTo(entity, instance, client)
    this.#facts.number = 0
  }

  #appendTo(entity: Entity, instance: Instance | undefined, client: Piece): void {
    if (instance !== undefined || entity.ref.kind === 'action') {
      entity.mailbox.append(this.#facts, instance, this.#topic, this.#payload, client)
      return
    }
    for (const one of entity.instances.values()) {
      entity.mailbox.append(this.#facts, one, this.#topic, this.#payload, client)
    }
  }

  #set(depth: number, input: number, hash: number): void {
    this.#facts.depth = depth
    this.#facts.input = input
    this.#facts.topicHash = hash
  }

  /** @param isCertain whether its publisher waits until there is room, instead of losing it */
  #hasRoom(entity: Entity, isCertain: boolean, size: number): boolean {
    const { isClosed, mailbox } = entity
    const isFull = (isClosed || !isCertain) && mailbox.waiting >= this.#messagesMax
    const bytesMax = isClosed ? keptBytesMax(this.state.config.lot) : this.#bytesMax
    const fits = !isFull && this.state.total.bytes + size <= bytesMax
    if (fits && (isCertain || !isClosed)) return true
    if (!isClosed) this.#drop(entity, 'too many wait')
    else this.#drop(entity, isCertain ? 'it was stopped, and too many wait for it' : 'it was stopped')
    return false
  }

  /** @param reason about the entity */
  #drop(entity: Entity, reason: string): void {
    this.state.drop(entity, 1)
    const { kind, name } = entity.ref
    const message = `a message for ${kind} ${name} was dropped: ${reason}`
    this.#dropLog.log('warn', `${kind} ${name}`, message, { kind, name })
  }

  #keepValue(topic: Topic, hash: number): void {
    const { bytes, at, length } = this.#payload
    this.state.values.set(topic.bytes, 0, topic.bytes.length, hash, bytes, undefined, at, length)
  }

  /** What the broker itself takes. */
  #tell(topic: Topic, identity: Identity | undefined): void {
    const { bytes, at, length } = this.#payload
    if (topic.use === 'command') {
      this.state.tell({ kind: 'command', text: decodeText(bytes, at, length), identity })
    } else {
      const payload = new Uint8Array(length)
      payload.set(bytes.subarray(at, at + length))
      this.state.tell({ kind: 'write', topic: topic.text, payload, identity })
    }
  }
}

/** Events that a message makes of one destination. */
function copiesOf({ entity, instance }: Destination): number {
  return instance !== undefined || entity.ref.kind === 'action' ? 1 : entity.instances.size
}

function copiesOfAll({ destinations }: Topic): number {
  let copies = 0
  for (const destination of destinations) copies += copiesOf(destination)
  return copies
}

function place(piece: Piece, bytes: Uint8Array, at: number, length: number): void {
  piece.bytes = bytes
  piece.at = at
  piece.length = length
}

function textPiece(text: string): Piece {
  const bytes = Buffer.from(text)
  return { bytes, at: 0, length: bytes.length }
}

/** @param wanted filter of ON SUBSCRIBE; undefined for all @param filter that was subscribed */
export function isMeant(wanted: string | undefined, filter: string | undefined): boolean {
  return wanted === undefined || wanted === filter || (filter !== undefined && filterMatches(wanted, filter))
}

/** What the session words stand for: docs/lot/triggers.md. */
export function sessionWords(event: SessionEvent): Record<string, string> {
  return {
    CLIENTID: event.clientId,
    USER: event.user,
    ENDPOINT: event.endpoint,
    ...(event.cleanSession === undefined ? {} : { CLEANSESSION: String(event.cleanSession) }),
    ...(event.reason === undefined ? {} : { DISCONNECTREASON: event.reason }),
    ...(event.filter === undefined ? {} : { SUBSCRIBETOPIC: event.filter }),
    ...(event.qos === undefined ? {} : { SUBSCRIBEQOS: String(event.qos) }),
  }
}
