/** The LoT thread, as a shard sees it: one more that wants messages, and one that publishes without a session. */
import type { RingProducer } from '../base/ring.js'
import { endpointOf } from '../contracts/audit.js'
import {
  DEPTH_SHIFT,
  LOT_CLIENT,
  LOT_CLIENT_BYTES,
  LOT_FIXED_INTS,
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
  SessionHook,
  ToLotKind,
} from '../contracts/lot.js'
import { jsonBytes } from '../contracts/record-json.js'
import { KIND, SLOT } from '../contracts/records.js'
import type { PublishFields } from './message.js'
import type { Session } from './session.js'

/** Stands for the LoT thread where shards have numbers. */
export const LOT_THREAD = -1

const NO_BYTES = new Uint8Array(0)

export class LotLink {
  /** Which `SessionEvent`s are wanted: a sum of `SessionHook`. */
  hooks = 0

  constructor(
    readonly shard: number,
    readonly ring: RingProducer,
  ) {}

  /**
   * Hot, for topics that LoT wants.
   * @param number what it answers with; 0 for no answer
   * @param isCommand it is for the broker itself, which has to know who asks
   * @param depth of what LoT has published itself: runs before of which each triggered the next
   */
  forward(fields: PublishFields, publisher: Session | undefined, number: number, isCommand: boolean, depth = 0): void {
    const { ring } = this
    const client = publisher?.clientIdBytes ?? NO_BYTES
    const identity = isCommand && publisher !== undefined ? jsonBytes(publisher.identity) : NO_BYTES
    const fixed = LOT_FIXED_INTS * 4
    const length = fixed + fields.topicBytes + fields.payloadBytes + client.length + identity.length
    const at = ring.begin(length)
    const { bytes, ints } = ring
    const i = at >> 2
    ints[i + KIND] = ToLotKind.MESSAGE
    ints[i + SLOT] = this.shard
    ints[i + LOT_NUMBER] = number
    ints[i + LOT_FLAGS] = fields.qos | (fields.retain ? 4 : 0) | (depth << DEPTH_SHIFT)
    ints[i + LOT_TOPIC_HASH] = fields.topicHash
    let end = fixed
    const put = (field: number, lengthField: number, from: Uint8Array, start: number, size: number): void => {
      ints[i + field] = end
      ints[i + lengthField] = size
      copy(from, start, bytes, at + end, size)
      end += size
    }
    put(LOT_TOPIC, LOT_TOPIC_BYTES, fields.bytes, fields.topicStart, fields.topicBytes)
    put(LOT_PAYLOAD, LOT_PAYLOAD_BYTES, fields.bytes, fields.payloadStart, fields.payloadBytes)
    put(LOT_CLIENT, LOT_CLIENT_BYTES, client, 0, client.length)
    put(LOT_IDENTITY, LOT_IDENTITY_BYTES, identity, 0, identity.length)
    ring.end(at, length)
  }

  /** The LoT thread is told that it gets, from now on, what it has asked for. */
  confirm(number: number): void {
    const { ring } = this
    const at = ring.begin(16)
    ring.ints[(at >> 2) + KIND] = ToLotKind.WANTED
    ring.ints[(at >> 2) + SLOT] = this.shard
    ring.ints[(at >> 2) + LOT_NUMBER] = number
    ring.end(at, 16)
  }

  sessionConnected(session: Session, cleanSession: boolean): void {
    if ((this.hooks & SessionHook.CONNECT) === 0) return
    this.#tell({ hook: 'connect', ...whose(session), cleanSession })
  }

  sessionDisconnected(session: Session, reason: string): void {
    if ((this.hooks & SessionHook.DISCONNECT) === 0) return
    this.#tell({ hook: 'disconnect', ...whose(session), reason })
  }

  subscribed(session: Session, filter: string, qos: 0 | 1 | 2): void {
    if ((this.hooks & SessionHook.SUBSCRIBE) === 0) return
    this.#tell({ hook: 'subscribe', ...whose(session), filter, qos })
  }

  #tell(event: SessionEvent): void {
    const { ring } = this
    const json = jsonBytes(event)
    const at = ring.begin(16 + json.length)
    ring.ints[(at >> 2) + KIND] = ToLotKind.SESSION
    ring.ints[(at >> 2) + SLOT] = this.shard
    ring.ints[(at >> 2) + 3] = json.length
    ring.bytes.set(json, at + 16)
    ring.end(at, 16 + json.length)
  }
}

function whose(session: Session): Pick<SessionEvent, 'clientId' | 'user' | 'endpoint'> {
  const { clientId, identity } = session
  return { clientId, user: identity.userName ?? '', endpoint: endpointOf(identity) }
}

/** Short pieces byte by byte: `set` costs more than that before its first byte. */
function copy(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  if (length > 64) to.set(from.subarray(start, start + length), at)
  else for (let k = 0; k < length; k++) to[at + k] = from[start + k]
}
