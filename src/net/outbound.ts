/** Records of shards become bytes for sockets. */
import { copyBytes } from '../base/bytes.js'
import { Counter, type Counters } from '../contracts/counters.js'
import {
  DELIVER_COUNT,
  DELIVER_EXTRA,
  DELIVER_EXTRA_BYTES,
  DELIVER_PAYLOAD,
  DELIVER_PAYLOAD_BYTES,
  DELIVER_PROPERTIES,
  DELIVER_PROPERTIES_BYTES,
  DELIVER_RECEIVERS,
  DELIVER_TOPIC,
  DELIVER_TOPIC_BYTES,
  DELIVER_TOPIC_HASH,
  RECEIVER_INTS,
} from '../contracts/records.js'
import { ACK_BYTES_MAX, type AckType, writeAck } from '../mqtt/ack-codec.js'
import { PacketType } from '../mqtt/packets.js'
import {
  publishFirstByte,
  publishRemainingLength,
  TOPIC_ALIAS_BYTES,
  writePublishHeader,
  writeTopicAlias,
  writeUint16,
} from '../mqtt/publish-writer.js'
import { writeVarint } from '../mqtt/varint.js'
import { type Connection, ConnectionState } from './connection.js'
import { type OutBuffer, OutBufferPool } from './out-buffer.js'
import { AliasUse } from './topic-aliases.js'

/** Fewer bytes than this are copied out of the gathering buffer, which can then be used again at once. */
const SMALL_WRITE_BYTES = 8_192
/** Connections with bytes gathered; more are written out early, so that their buffers stay few. */
const DIRTY_MAX = 256
/** Fixed header, topic length, packet identifier, property length, alias. */
const PUBLISH_OVERHEAD_BYTES = 5 + 2 + 2 + 4 + TOPIC_ALIAS_BYTES
/** Shorter topics gain nothing by an alias. */
const ALIASED_TOPIC_BYTES_MIN = 5

export class OutboundWriter {
  readonly #pool = new OutBufferPool()
  readonly #dirty: Connection[] = []
  #viewOf: Uint8Array | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))

  constructor(
    readonly counters: Counters,
    /** By slot. */
    readonly connections: readonly (Connection | undefined)[],
  ) {}

  /** Hot: a DELIVER record. */
  deliver(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    if (this.#viewOf !== bytes) {
      this.#viewOf = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    const count = ints[i + DELIVER_COUNT]
    let receiver = i + DELIVER_RECEIVERS
    for (let k = 0; k < count; k++) {
      const connection = this.connections[ints[receiver]]
      if (connection !== undefined && connection.state === ConnectionState.CONNECTED) {
        this.#publish(connection, ints[receiver + 1], bytes, ints, at)
      }
      receiver += RECEIVER_INTS
    }
  }

  #publish(connection: Connection, meta: number, bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    const qos = (meta >> 16) & 3
    if (connection.isSlow && qos === 0) {
      this.counters[Counter.droppedQos0Slow]++ // the shard has not heard yet that the client is slow
      return
    }
    const topicBytes = ints[i + DELIVER_TOPIC_BYTES]
    const payloadBytes = ints[i + DELIVER_PAYLOAD_BYTES]
    const { version } = connection
    const isV5 = version === 5
    let wireTopicBytes = topicBytes
    let aliasUse: AliasUse = AliasUse.NONE
    let propertiesBytes = 0
    if (isV5) {
      propertiesBytes = ints[i + DELIVER_PROPERTIES_BYTES] + ints[i + DELIVER_EXTRA_BYTES]
      const aliases = connection.outboundAliases
      if (aliases !== undefined && topicBytes >= ALIASED_TOPIC_BYTES_MIN) {
        aliasUse = aliases.choose(bytes, at + ints[i + DELIVER_TOPIC], topicBytes, ints[i + DELIVER_TOPIC_HASH])
        if (aliasUse !== AliasUse.NONE) propertiesBytes += TOPIC_ALIAS_BYTES
        if (aliasUse === AliasUse.REPLACE) wireTopicBytes = 0
      }
    }
    let remaining = publishRemainingLength(version, wireTopicBytes, qos, propertiesBytes, payloadBytes)
    if (aliasUse === AliasUse.SET && remaining + 5 > connection.maximumPacketBytes) {
      // the shard has checked the size without the alias; a topic that gets one now may do without it once
      connection.outboundAliases?.forget(ints[i + DELIVER_TOPIC_HASH])
      aliasUse = AliasUse.NONE
      propertiesBytes -= TOPIC_ALIAS_BYTES
      remaining = publishRemainingLength(version, wireTopicBytes, qos, propertiesBytes, payloadBytes)
    }
    const out = this.#reserve(connection, remaining + PUBLISH_OVERHEAD_BYTES)
    const target = out.bytes
    const { view } = out
    const source = this.#view
    let o = writePublishHeader(target, out.used, publishFirstByte(qos, (meta >> 19) & 1, (meta >> 18) & 1), remaining)
    o = writeUint16(target, o, wireTopicBytes)
    if (wireTopicBytes > 0) o = copyBytes(bytes, source, at + ints[i + DELIVER_TOPIC], target, view, o, topicBytes)
    if (qos > 0) o = writeUint16(target, o, meta & 0xffff)
    if (isV5) {
      o = writeVarint(target, o, propertiesBytes)
      if (aliasUse !== AliasUse.NONE) o = writeTopicAlias(target, o, connection.outboundAliases?.alias ?? 0)
      const extra = ints[i + DELIVER_EXTRA_BYTES]
      if (extra > 0) o = copyBytes(bytes, source, at + ints[i + DELIVER_EXTRA], target, view, o, extra)
      const properties = ints[i + DELIVER_PROPERTIES_BYTES]
      if (properties > 0) o = copyBytes(bytes, source, at + ints[i + DELIVER_PROPERTIES], target, view, o, properties)
    }
    o = copyBytes(bytes, source, at + ints[i + DELIVER_PAYLOAD], target, view, o, payloadBytes)
    out.used = o
    this.counters[Counter.publishSent]++
    this.counters[Counter.publishSentBytes] += payloadBytes
    this.counters[Counter.packetsSent]++
  }

  /** An ACKS record. */
  acks(connection: Connection, ints: Int32Array, at: number): void {
    const i = at >> 2
    const count = ints[i + 3]
    const { version } = connection
    const out = this.#reserve(connection, count * ACK_BYTES_MAX)
    let o = out.used
    for (let k = 0; k < count; k++) {
      const ack = ints[i + 4 + k]
      const type = ack >>> 24
      if (type === PacketType.PINGRESP) {
        out.bytes[o] = PacketType.PINGRESP << 4
        out.bytes[o + 1] = 0
        o += 2
      } else o = writeAck(out.bytes, o, type as AckType, ack & 0xffff, (ack >>> 16) & 0xff, version)
    }
    out.used = o
    this.counters[Counter.packetsSent] += count
  }

  /** A whole packet. */
  packet(connection: Connection, packet: Uint8Array): void {
    if (packet.length === 0) return
    const out = this.#reserve(connection, packet.length)
    out.bytes.set(packet, out.used)
    out.used += packet.length
    this.counters[Counter.packetsSent]++
  }

  /** Writes out what has gathered for one connection. */
  flush(connection: Connection): void {
    const { out } = connection
    if (out === undefined) return
    connection.out = undefined
    if (out.used === 0 || connection.state === ConnectionState.CLOSED) {
      this.#pool.give(out)
      return
    }
    this.counters[Counter.bytesSent] += out.used
    if (out.used <= SMALL_WRITE_BYTES) {
      const copy = Buffer.allocUnsafe(out.used)
      copy.set(out.bytes.subarray(0, out.used))
      this.#pool.give(out)
      connection.transport.write(copy, nothing)
      return
    }
    connection.transport.write(out.bytes.subarray(0, out.used), () => this.#pool.give(out))
  }

  /** Forgets what has gathered for a connection that is closed. */
  drop(connection: Connection): void {
    if (connection.out !== undefined) this.#pool.give(connection.out)
    connection.out = undefined
  }

  /** Writes out everything. @param flushed called for each connection that was written to */
  flushAll(flushed: (connection: Connection) => void): void {
    for (const connection of this.#dirty) {
      connection.isDirty = false
      this.flush(connection)
      flushed(connection)
    }
    this.#dirty.length = 0
  }

  /** Many connections have bytes waiting: write them out before going on. */
  get isFull(): boolean {
    return this.#dirty.length >= DIRTY_MAX
  }

  #reserve(connection: Connection, length: number): OutBuffer {
    if (!connection.isDirty) {
      connection.isDirty = true
      this.#dirty.push(connection)
    }
    let { out } = connection
    if (out !== undefined) {
      if (out.bytes.length - out.used >= length) return out
      this.flush(connection)
    }
    out = this.#pool.take(length)
    connection.out = out
    return out
  }
}

function nothing(): void {}
