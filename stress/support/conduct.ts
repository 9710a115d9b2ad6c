/** What the broker must observe from packet to packet on one network connection, checked for every test client. */
import type { Received, ReceivedPublish } from './broker-packets.js'
import type { ConnectOptions, Version } from './client-packets.js'
import type { Properties } from './properties.js'
import { ConductError, readVarint } from './reader.js'

/** undefined for what is not a remaining length: tests send such bytes on purpose. */
function remainingLength(packets: Uint8Array, offset: number) {
  try {
    return readVarint(packets, offset)
  } catch {
    return undefined
  }
}

export class Conduct {
  private connacked = false
  private disconnected = false
  private maximumPacketSize = Number.POSITIVE_INFINITY
  private topicAliasMaximum = 0
  private receiveMaximum = 65_535
  private problemInformation = true
  private readonly aliases = new Map<number, string>()
  /** Packet identifiers of PUBLISH packets from the broker that were not acknowledged completely. */
  private readonly inflight = new Set<number>()

  constructor(readonly version: Version) {}

  /** The limits that a CONNECT states. Bytes as properties state nothing here. */
  promise(options: ConnectOptions): void {
    if (options.properties === undefined || options.properties instanceof Uint8Array) return
    const properties: Properties = options.properties
    this.maximumPacketSize = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY
    this.topicAliasMaximum = properties.topicAliasMaximum ?? 0
    this.receiveMaximum = properties.receiveMaximum ?? 65_535
    this.problemInformation = properties.requestProblemInformation !== 0
  }

  /** Notes acknowledgements, which make packet identifiers free again. @param packets whole ones; a rest is ignored */
  sent(packets: Uint8Array): void {
    for (let start = 0; start + 1 < packets.length; ) {
      const length = remainingLength(packets, start + 1)
      if (length === undefined) return
      const body = start + 1 + length.length
      const end = body + length.value
      if (end > packets.length) return
      this.acknowledged(packets[start]! >> 4, packets.subarray(body, end))
      start = end
    }
  }

  private acknowledged(type: number, body: Uint8Array): void {
    const isLast = type === 4 || type === 7 || (type === 5 && body.length > 2 && body[2]! >= 0x80)
    if (isLast && body.length >= 2) this.inflight.delete(body[0]! * 256 + body[1]!)
  }

  /**
   * @returns the packet, its topic name filled in from the alias
   * @throws ConductError naming the statement that the broker broke
   */
  received(packet: Received): Received {
    if (this.disconnected) throw new ConductError(`[MQTT-3.14.4-1] ${packet.kind} after DISCONNECT`)
    if (!this.connacked && packet.kind !== 'connack' && packet.kind !== 'auth') {
      throw new ConductError(`[MQTT-3.2.0-1] ${packet.kind} before CONNACK`)
    }
    if (packet.size > this.maximumPacketSize) {
      throw new ConductError(
        `[MQTT-3.1.2-24] ${packet.kind} of ${packet.size} bytes, allowed ${this.maximumPacketSize}`,
      )
    }
    this.checkProblemInformation(packet)
    switch (packet.kind) {
      case 'connack':
        if (this.connacked) throw new ConductError('[MQTT-3.2.0-2] a second CONNACK')
        this.connacked = true
        return packet
      case 'publish':
        this.checkWindow(packet)
        return { ...packet, topic: this.topicOf(packet) }
      case 'disconnect':
        this.disconnected = true
        return packet
      default:
        return packet
    }
  }

  private checkProblemInformation(packet: Received): void {
    if (this.problemInformation || packet.kind === 'pingresp') return
    if (packet.kind === 'publish' || packet.kind === 'connack' || packet.kind === 'disconnect') return
    if (packet.properties.reasonString !== undefined || packet.properties.userProperty !== undefined) {
      throw new ConductError(`[MQTT-3.1.2-29] problem information in ${packet.kind}`)
    }
  }

  private checkWindow({ qos, packetId }: ReceivedPublish): void {
    if (qos === 0) return
    if (this.inflight.has(packetId)) throw new ConductError(`[MQTT-2.2.1-4] packet identifier ${packetId} is in use`)
    this.inflight.add(packetId)
    if (this.inflight.size > this.receiveMaximum) {
      throw new ConductError(`[MQTT-3.3.4-9] ${this.inflight.size} unacknowledged, allowed ${this.receiveMaximum}`)
    }
  }

  private topicOf({ topic, properties }: ReceivedPublish): string {
    const alias = properties.topicAlias
    if (alias === undefined) return topic
    if (alias > this.topicAliasMaximum) {
      throw new ConductError(`[MQTT-3.1.2-26] topic alias ${alias}, allowed ${this.topicAliasMaximum}`)
    }
    if (topic !== '') this.aliases.set(alias, topic)
    const known = this.aliases.get(alias)
    if (known === undefined) throw new ConductError(`topic alias ${alias} was not introduced`)
    return known
  }
}
