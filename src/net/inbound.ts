/** Bytes of a client become packets, checked against everything that needs no session, on their way to its shard. */
import { BrokerError } from '../base/errors.js'
import type { RingProducer } from '../base/ring.js'
import type { BrokerConfig } from '../config/schema.js'
import { Counter, type Counters } from '../contracts/counters.js'
import { type AckType, AckView, checkPing, readAck } from '../mqtt/ack-codec.js'
import { checkFirstByte, FrameStatus, FrameView, readFrame } from '../mqtt/frame.js'
import { PacketType } from '../mqtt/packets.js'
import { PublishView, readPublish } from '../mqtt/publish-codec.js'
import { type Connection, NO_CHUNKS } from './connection.js'
import { PacketBatch } from './packet-batch.js'
import { type AliasedTopic, InboundAliases } from './topic-aliases.js'

/**
 * What the reader leaves to others: packets that are about the connection itself, each as a whole.
 * @returns false to stop reading: the connection waits for something, or is over
 */
export type ControlHandler = (
  connection: Connection,
  type: number,
  bytes: Uint8Array,
  start: number,
  length: number,
) => boolean

/** Pieces shorter than this are joined, as many at a time, so that each costs little more than its bytes. */
const SHORT_BYTES = 4_096
const JOINED_TOGETHER = 64
/** More than one read can hold. */
const ALL_PACKETS = 0x7fff_ffff

export class InboundReader {
  readonly #frame = new FrameView()
  readonly #publish = new PublishView()
  readonly #ack = new AckView()
  readonly #batch = new PacketBatch()
  /** A PUBLISH put together anew, because its topic came as an alias. */
  #rebuilt = new Uint8Array(65_536)

  /** @param control CONNECT, AUTH, DISCONNECT, and anything before the client is connected */
  constructor(
    readonly config: BrokerConfig,
    readonly counters: Counters,
    readonly control: ControlHandler,
  ) {}

  /**
   * Takes what was read. Complete packets go to `ringOf(connection)`, the rest waits in the connection.
   * @param packetsMax after so many, the rest waits too
   * @returns false if packets may be left that it would have taken
   * @throws BrokerError for what the client may not send; packets before it have gone their way
   */
  take(
    connection: Connection,
    chunk: Buffer,
    length: number,
    ringOf: (connection: Connection) => RingProducer,
    nowMs: number,
    packetsMax = ALL_PACKETS,
  ): boolean {
    this.counters[Counter.bytesReceived] += length
    let bytes = chunk
    let end = length
    if (connection.partialBytes > 0) {
      addPiece(connection, chunk, length)
      // known to be incomplete: joining the pieces at each read would be quadratic for large packets
      if (connection.partialBytes < connection.neededBytes) return true
      bytes = Buffer.concat(connection.partial, connection.partialBytes)
      end = bytes.length
      connection.partial = NO_CHUNKS
      connection.partialBytes = 0
      connection.neededBytes = 0
    }
    return this.#parse(connection, bytes, end, ringOf, nowMs, packetsMax)
  }

  #parse(
    connection: Connection,
    bytes: Buffer,
    end: number,
    ringOf: (connection: Connection) => RingProducer,
    nowMs: number,
    packetsMax: number,
  ): boolean {
    const frame = this.#frame
    let position = 0
    let packets = 0
    let isAll = true
    try {
      for (;;) {
        const status = readFrame(bytes, position, end, frame)
        if (status === FrameStatus.MALFORMED) {
          throw new BrokerError('MALFORMED_PACKET', { reason: 'the remaining length is not valid' })
        }
        if (frame.packetBytes > connection.packetBytesMax) {
          const details = { bytes: frame.packetBytes, maximum: connection.packetBytesMax }
          throw new BrokerError('PACKET_TOO_LARGE', details)
        }
        if (status === FrameStatus.INCOMPLETE) break
        const start = position
        position += frame.packetBytes
        packets++
        if (!this.#packet(connection, bytes, start, ringOf)) {
          frame.packetBytes = -1
          break
        }
        if (this.#batch.isFull) this.#batch.writeTo(ringOf(connection), connection.slot, bytes)
        if (packets === packetsMax && position < end) {
          isAll = false
          frame.packetBytes = -1
          break
        }
      }
    } finally {
      if (!this.#batch.isEmpty) this.#batch.writeTo(ringOf(connection), connection.slot, bytes)
      if (packets > 0) connection.lastPacketMs = nowMs
      this.counters[Counter.packetsReceived] += packets
    }
    if (position < end) this.#keep(connection, bytes, position, end)
    return isAll
  }

  /** @returns false to leave the rest of the read for later */
  #packet(
    connection: Connection,
    bytes: Buffer,
    start: number,
    ringOf: (connection: Connection) => RingProducer,
  ): boolean {
    const { firstByte, bodyStart, bodyLength, packetBytes } = this.#frame
    const { version } = connection
    const type = firstByte >> 4
    if (connection.shard < 0) return this.control(connection, type, bytes, start, packetBytes)
    checkFirstByte(firstByte, version)
    const end = bodyStart + bodyLength
    switch (type) {
      case PacketType.PUBLISH: {
        const publish = this.#publish
        readPublish(bytes, firstByte, bodyStart, end, version, publish)
        this.counters[Counter.publishReceived]++
        this.counters[Counter.publishReceivedBytes] += publish.payloadLength
        if (publish.topicAlias !== 0) this.#resolveAlias(connection, bytes, ringOf)
        else {
          this.#checkTopic(publish.topicLength, publish.topicLevels)
          this.#batch.addPublish(publish)
        }
        return true
      }
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBREL:
      case PacketType.PUBCOMP: {
        readAck(bytes, bodyStart, end, type as AckType, version, this.#ack)
        this.#batch.addAck(type, this.#ack.packetId, this.#ack.reasonCode)
        return true
      }
      case PacketType.PINGREQ:
        checkPing(bodyLength)
        this.#batch.addControl(type, start, packetBytes)
        return true
      case PacketType.SUBSCRIBE:
      case PacketType.UNSUBSCRIBE:
        this.#batch.addControl(type, start, packetBytes)
        return true
      default:
        // these look at the connection's state, so what came before must be with the shard
        this.#batch.writeTo(ringOf(connection), connection.slot, bytes)
        return this.control(connection, type, bytes, start, packetBytes)
    }
  }

  #checkTopic(length: number, levels: number): void {
    const { bytesMax, levelsMax } = this.config.topic
    if (length > bytesMax) {
      throw new BrokerError('TOPIC_NAME_INVALID', { reason: `${length} bytes, more than ${bytesMax}` })
    }
    if (levels > levelsMax) {
      throw new BrokerError('TOPIC_NAME_INVALID', { reason: `${levels} levels, more than ${levelsMax}` })
    }
  }

  /** Shards know no aliases: the topic takes the place of the alias, and the property is left out. */
  #resolveAlias(connection: Connection, bytes: Buffer, ringOf: (connection: Connection) => RingProducer): void {
    const publish = this.#publish
    const topic = this.#aliasedTopic(connection, bytes)
    this.#checkTopic(topic.bytes.length, topic.levels)
    this.#batch.writeTo(ringOf(connection), connection.slot, bytes)
    const propertiesBytes = publish.propertiesLength - 3
    const length = topic.bytes.length + propertiesBytes + publish.payloadLength
    if (this.#rebuilt.length < length) this.#rebuilt = new Uint8Array(length)
    const rebuilt = this.#rebuilt
    rebuilt.set(topic.bytes, 0)
    let to = topic.bytes.length
    const before = publish.topicAliasStart - publish.propertiesStart
    rebuilt.set(bytes.subarray(publish.propertiesStart, publish.topicAliasStart), to)
    to += before
    rebuilt.set(bytes.subarray(publish.topicAliasStart + 3, publish.propertiesStart + publish.propertiesLength), to)
    to += propertiesBytes - before
    rebuilt.set(bytes.subarray(publish.payloadStart, publish.payloadStart + publish.payloadLength), to)
    publish.topicStart = 0
    publish.topicLength = topic.bytes.length
    publish.topicHash = topic.hash
    publish.propertiesStart = topic.bytes.length
    publish.propertiesLength = propertiesBytes
    publish.payloadStart = to
    this.#batch.addPublish(publish)
    this.#batch.writeTo(ringOf(connection), connection.slot, rebuilt)
  }

  #aliasedTopic(connection: Connection, bytes: Buffer): AliasedTopic {
    const { topicAlias, topicStart, topicLength, topicHash, topicLevels } = this.#publish
    const { topicAliasMax } = this.config.connection
    if (topicAlias > topicAliasMax) {
      const reason = `${topicAlias} is more than the ${topicAliasMax} allowed`
      throw new BrokerError('TOPIC_ALIAS_INVALID', { reason }) // [MQTT-3.2.2-17]
    }
    if (topicLength > 0) {
      const topic = {
        bytes: new Uint8Array(bytes.subarray(topicStart, topicStart + topicLength)),
        hash: topicHash,
        levels: topicLevels,
      }
      connection.inboundAliases ??= new InboundAliases()
      connection.inboundAliases.set(topicAlias, topic)
      return topic
    }
    const topic = connection.inboundAliases?.get(topicAlias)
    if (topic === undefined) throw new BrokerError('PROTOCOL_ERROR', { reason: `topic alias ${topicAlias} is not set` })
    return topic
  }

  /** Passes one packet on by itself. */
  pass(connection: Connection, type: number, packet: Uint8Array, ring: RingProducer): void {
    this.#batch.addControl(type, 0, packet.length)
    this.#batch.writeTo(ring, connection.slot, packet)
  }

  /** What has come while the connection could not be read. */
  stash(connection: Connection, chunk: Buffer, length: number): void {
    this.counters[Counter.bytesReceived] += length
    if (connection.partialBytes === 0) connection.partial = []
    addPiece(connection, chunk, length)
    connection.neededBytes = 0
  }

  #keep(connection: Connection, bytes: Buffer, position: number, end: number): void {
    connection.partial = [Buffer.from(bytes.subarray(position, end))]
    connection.partialBytes = end - position
    connection.neededBytes = Math.max(0, this.#frame.packetBytes)
  }
}

/** Keeps what has come. Long pieces are not copied again before all are joined, and short ones some 64 times at most. */
function addPiece(connection: Connection, chunk: Buffer, length: number): void {
  const { partial } = connection
  partial.push(Buffer.from(chunk.subarray(0, length)))
  connection.partialBytes += length
  if (partial.length % JOINED_TOGETHER !== 0) return
  let first = partial.length
  while (first > 0 && partial[first - 1].length < SHORT_BYTES) first--
  if (partial.length - first > 1) partial.push(Buffer.concat(partial.splice(first)))
}
