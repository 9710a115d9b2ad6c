/** A test client on a raw network connection: it sends any bytes and looks closely at what the broker sends. */
import { decode, type Received, type ReceivedKind, type ReceivedOf, type ReceivedPublish } from './broker-packets.js'
import {
  type AckKind,
  type AckOptions,
  ackPacket,
  type ConnectOptions,
  connectPacket,
  disconnectPacket,
  type PublishOptions,
  pingreqPacket,
  publishPacket,
  type SubscribePacketOptions,
  type Subscription,
  type SubscriptionOptions,
  subscribePacket,
  unsubscribePacket,
  type Version,
} from './client-packets.js'
import { Conduct } from './conduct.js'
import { DEADLINE_MS, describe, Inbox } from './inbox.js'
import { ConductError, readVarint } from './reader.js'
import { openTransport, type Target, type Transport, type TransportOptions } from './transport.js'
import { bytes, type Part } from './wire.js'

export interface ClientOptions extends TransportOptions {
  /** Default 5. Governs how packets are encoded and decoded. */
  readonly version?: Version
  /** Default `automatically`: PUBACK, PUBREC and PUBCOMP are sent at once and PUBREL does not reach the test. */
  readonly acknowledge?: 'automatically' | 'by hand'
  /** Default true. With false the client decodes nothing and keeps what it receives in `bytesReceived`. */
  readonly decode?: boolean
}

/** What a client needs to know of the broker it talks to. */
export interface Surroundings {
  /** Resolves when everything sent by any client so far has had its effect. */
  settle(): Promise<void>
  /** Moves the clock of the broker, where it can be moved. */
  passTime(milliseconds: number): Promise<void>
  /** Whether a broker that closes without DISCONNECT fails the test. */
  readonly strict: boolean
}

export class RawClient {
  readonly version: Version
  /** Every PUBLISH received on this connection, oldest first, taken by an expectation or not. */
  readonly messages: ReceivedPublish[] = []
  /** Of the last `connect`. */
  connack: ReceivedOf<'connack'> | undefined
  clientId = ''
  /** Only with `decode: false`. */
  bytesReceived: Uint8Array = Buffer.alloc(0)
  private readonly inbox = new Inbox()
  private readonly conduct: Conduct
  private readonly unacknowledged: ReceivedPublish[] = []
  private transport!: Transport
  private buffered: Uint8Array = Buffer.alloc(0)
  private pingsUnanswered = 0
  private pingsAnswered = 0
  private lastPacketId = 0
  private disconnecting = false

  private constructor(
    private readonly surroundings: Surroundings,
    private readonly options: ClientOptions,
  ) {
    this.version = options.version ?? 5
    this.conduct = new Conduct(this.version)
  }

  static async open(target: Target, surroundings: Surroundings, options: ClientOptions = {}): Promise<RawClient> {
    const client = new RawClient(surroundings, options)
    const events = { data: (chunk: Uint8Array) => client.receive(chunk), closed: () => client.inbox.close() }
    client.transport = await openTransport(target, events, options)
    return client
  }

  get closed(): boolean {
    return this.inbox.closed
  }

  /** Whether a PINGREQ would be answered. */
  get responsive(): boolean {
    return this.connack?.reasonCode === 0 && !this.closed && !this.disconnecting
  }

  get webSocket() {
    return this.transport.webSocket
  }

  /** A packet identifier this client has not used yet. */
  nextPacketId(): number {
    this.lastPacketId += 1
    return this.lastPacketId
  }

  /** Sends in one write: packets, or any bytes. */
  send(...packets: readonly Part[]): void {
    const data = bytes(...packets)
    this.conduct.sent(data)
    this.transport.write(data)
  }

  /** CONNECT without waiting for the answer; the broker is held to the limits it states. */
  sendConnect(options: ConnectOptions = {}): void {
    this.conduct.promise(options)
    this.clientId = typeof options.clientId === 'string' ? options.clientId : ''
    this.send(connectPacket({ version: this.version, ...options }))
  }

  /** CONNECT and its answer. @throws unless the broker answers with CONNACK and reason code 0 */
  async connect(options: ConnectOptions = {}): Promise<ReceivedOf<'connack'>> {
    this.sendConnect(options)
    const connack = await this.expectConnack()
    if (connack.reasonCode !== 0) throw new Error(`connection refused: ${describe(connack)}`)
    return connack
  }

  async expectConnack(reasonCode?: number): Promise<ReceivedOf<'connack'>> {
    this.connack = await this.expectPacket('connack')
    this.clientId = this.connack.properties.assignedClientIdentifier ?? this.clientId
    if (reasonCode !== undefined && this.connack.reasonCode !== reasonCode) {
      throw new Error(`expected CONNACK with 0x${reasonCode.toString(16)}, received ${describe(this.connack)}`)
    }
    return this.connack
  }

  /** The next packet, which must be of this kind. */
  async expectPacket<Kind extends ReceivedKind>(kind: Kind, what: string = kind): Promise<ReceivedOf<Kind>> {
    const packet = await this.inbox.next(what)
    if (packet?.kind === kind) return packet as ReceivedOf<Kind>
    const instead = packet ? describe(packet) : 'connection closed'
    throw new Error(`expected ${what}, received: ${instead}; then ${this.inbox.story()}`)
  }

  /** The next packet of this kind (and identifier), leaving others that come before it in their place. */
  async takePacket<Kind extends ReceivedKind>(kind: Kind, packetId?: number): Promise<ReceivedOf<Kind>> {
    const fits = (packet: Received) =>
      packet.kind === kind && (packetId === undefined || ('packetId' in packet && packet.packetId === packetId))
    return (await this.inbox.take(kind, fits)) as ReceivedOf<Kind>
  }

  /** Waits for so many bytes, with `decode: false`. */
  async expectBytes(count: number): Promise<Uint8Array> {
    await this.inbox.until(`${count} bytes`, () => (this.bytesReceived.length >= count ? true : undefined))
    return this.bytesReceived
  }

  /** Takes everything received so far. */
  drain(): readonly Received[] {
    return this.inbox.drain()
  }

  /** The next packet must be a PUBLISH with this payload (as text). */
  async expectMessage(text: string): Promise<ReceivedPublish> {
    const publish = await this.expectPacket('publish', `the message "${text}"`)
    if (publish.text !== text) throw new Error(`expected the message "${text}", received ${describe(publish)}`)
    return publish
  }

  /** Fails when anything is received that no expectation has taken, once all that was sent has had its effect. */
  async expectNothing(): Promise<void> {
    if (!this.closed) await this.surroundings.settle()
    this.inbox.check()
    if (this.inbox.pending.length > 0) throw new Error(`expected nothing, received: ${this.inbox.story()}`)
    if (this.closed) throw new Error('expected nothing, but the connection was closed')
  }

  /** The broker closes the connection and sends nothing before. */
  async expectClosed(deadlineMs = DEADLINE_MS): Promise<void> {
    const packet = await this.inbox.next('the connection to be closed', deadlineMs)
    if (packet) throw new Error(`expected the connection to be closed, received: ${describe(packet)}`)
  }

  /**
   * The broker ends a connection that it had accepted: on MQTT 5 by DISCONNECT with one of the reason codes and closing,
   * before MQTT 5 by closing. No reason codes: any.
   */
  async expectDisconnect(...reasonCodes: readonly number[]): Promise<ReceivedOf<'disconnect'> | undefined> {
    if (this.version !== 5) {
      await this.expectClosed()
      return undefined
    }
    const packet = await this.inbox.next('disconnect')
    if (packet === undefined && !this.surroundings.strict) return undefined
    if (packet?.kind !== 'disconnect')
      throw new Error(`expected disconnect, received: ${packet ? describe(packet) : 'connection closed'}`)
    if (reasonCodes.length > 0 && !reasonCodes.includes(packet.reasonCode)) {
      const expected = reasonCodes.map((code) => `0x${code.toString(16)}`).join(' or ')
      throw new Error(`expected DISCONNECT with ${expected}, received ${describe(packet)}`)
    }
    await this.expectClosed()
    return packet
  }

  /** The broker answers SUBSCRIBE by refusing every filter, or by ending the connection. */
  async expectNoGrant(): Promise<void> {
    const packet = await this.inbox.next('the subscription to be refused')
    if (packet === undefined) return
    if (packet.kind === 'disconnect' && packet.reasonCode >= 0x80) return this.expectClosed()
    if (packet.kind !== 'suback' || packet.reasonCodes.some((code) => code < 0x80)) {
      throw new Error(`expected the subscription to be refused, received ${describe(packet)}`)
    }
  }

  /** The broker refuses a CONNECT: silently, or by CONNACK with one of these codes (none: any but 0), and closes. */
  async expectRefused(...reasonCodes: readonly number[]): Promise<ReceivedOf<'connack'> | undefined> {
    const packet = await this.inbox.next('the connection to be refused')
    if (packet === undefined) return undefined
    const fits =
      packet.kind === 'connack' &&
      (reasonCodes.length > 0 ? reasonCodes.includes(packet.reasonCode) : packet.reasonCode !== 0)
    if (!fits) {
      const expected = reasonCodes.map((code) => `0x${code.toString(16)}`).join(' or ')
      throw new Error(
        `expected the connection to be refused ${expected && `with ${expected}`}, got ${describe(packet)}`,
      )
    }
    await this.expectClosed()
    return packet
  }

  /** @throws when a subscription is refused; use `send` and `expectPacket` to see the refusal */
  async subscribe(
    filters: string | readonly Subscription[],
    options: SubscriptionOptions = {},
    packetOptions: SubscribePacketOptions = {},
  ): Promise<ReceivedOf<'suback'>> {
    const packetId = this.nextPacketId()
    const subscriptions: readonly Subscription[] = typeof filters === 'string' ? [[filters, options]] : filters
    this.send(subscribePacket(packetId, subscriptions, { version: this.version, ...packetOptions }))
    const suback = await this.takePacket('suback', packetId)
    if (suback.reasonCodes.some((code) => code >= 0x80)) throw new Error(`subscription refused: ${describe(suback)}`)
    return suback
  }

  async unsubscribe(...filters: readonly string[]): Promise<ReceivedOf<'unsuback'>> {
    const packetId = this.nextPacketId()
    this.send(unsubscribePacket(packetId, filters, { version: this.version }))
    return this.takePacket('unsuback', packetId)
  }

  /** PUBLISH without waiting. @returns its packet identifier, 0 for QoS 0 */
  sendPublish(topic: Part, payload: Part = '', options: PublishOptions = {}): number {
    const packetId = options.packetId ?? (options.qos ? this.nextPacketId() : undefined)
    this.send(publishPacket(topic, payload, { version: this.version, ...options, packetId }))
    return packetId ?? 0
  }

  /**
   * PUBLISH through its whole handshake; with QoS 0 until the broker has processed it.
   * @returns the reason code of PUBACK, PUBREC (when it ends the flow) or PUBCOMP; 0 for QoS 0
   */
  async publish(topic: Part, payload: Part = '', options: PublishOptions = {}): Promise<number> {
    const packetId = this.sendPublish(topic, payload, options)
    if (!options.qos) {
      await this.ping()
      return 0
    }
    if (options.qos === 1) return (await this.takePacket('puback', packetId)).reasonCode
    const { reasonCode } = await this.takePacket('pubrec', packetId)
    if (reasonCode >= 0x80) return reasonCode
    this.send(ackPacket('pubrel', packetId))
    return (await this.takePacket('pubcomp', packetId)).reasonCode
  }

  sendAck(kind: AckKind, packetId: number, options: AckOptions = {}): void {
    this.send(ackPacket(kind, packetId, options))
  }

  /** Answers the oldest PUBLISH not yet answered by PUBACK or PUBREC. @throws when there is none */
  acknowledgeOldest(options: AckOptions = {}): ReceivedPublish {
    const publish = this.unacknowledged.shift()
    if (publish === undefined) throw new Error('no message waits for an acknowledgement')
    this.sendAck(publish.qos === 1 ? 'puback' : 'pubrec', publish.packetId, options)
    return publish
  }

  /** Lets the broker's clock run for so long, then counts every message received on this connection so far. */
  async countWithin(milliseconds: number): Promise<number> {
    await this.surroundings.settle()
    await this.surroundings.passTime(milliseconds)
    await this.surroundings.settle()
    this.inbox.check()
    return this.messages.length
  }

  /** PINGREQ and its answer: the broker has read everything sent before. */
  async ping(): Promise<void> {
    this.pingsUnanswered += 1
    const goal = this.pingsAnswered + this.pingsUnanswered
    this.send(pingreqPacket())
    await this.inbox.until('pingresp', () => (this.pingsAnswered >= goal ? true : undefined))
  }

  /** DISCONNECT, and the closing that follows. */
  async disconnect(options: AckOptions = {}): Promise<void> {
    this.disconnecting = true
    this.send(disconnectPacket(options))
    await this.inbox.until('the connection to be closed', () => (this.closed ? true : undefined), DEADLINE_MS, true)
  }

  /** Loses the network connection without DISCONNECT and waits until the broker has noticed. */
  async drop(): Promise<void> {
    this.destroy()
    await this.inbox.until('the connection to be closed', () => (this.closed ? true : undefined), DEADLINE_MS, true)
    await this.surroundings.settle()
  }

  destroy(): void {
    this.transport.destroy()
  }

  pause(): void {
    this.transport.pause()
  }

  resume(): void {
    this.transport.resume()
  }

  /** @throws the rule that the broker broke on this connection, if it broke one */
  checkConduct(): void {
    this.inbox.check()
  }

  private receive(chunk: Uint8Array): void {
    if (this.options.decode === false) {
      this.bytesReceived = bytes(this.bytesReceived, chunk)
      this.inbox.wake()
      return
    }
    this.buffered = this.buffered.length === 0 ? chunk : bytes(this.buffered, chunk)
    try {
      for (let packet = this.nextBuffered(); packet; packet = this.nextBuffered()) {
        this.dispatch(this.conduct.received(packet))
      }
    } catch (error) {
      this.inbox.fail(error instanceof ConductError ? error : new ConductError(String(error), { cause: error }))
    }
  }

  private nextBuffered(): Received | undefined {
    const length = this.buffered.length < 2 ? undefined : readVarint(this.buffered, 1)
    if (length === undefined) return undefined
    const start = 1 + length.length
    const size = start + length.value
    if (this.buffered.length < size) return undefined
    const packet = decode(this.buffered[0]!, this.buffered.subarray(start, size), size, this.version)
    this.buffered = this.buffered.subarray(size)
    return packet
  }

  private dispatch(packet: Received): void {
    const automatic = this.options.acknowledge !== 'by hand'
    if (packet.kind === 'publish') {
      this.messages.push(packet)
      if (packet.qos > 0) this.unacknowledged.push(packet)
      if (packet.qos > 0 && automatic) this.acknowledgeOldest()
    }
    if (packet.kind === 'pubrel' && automatic) {
      this.sendAck('pubcomp', packet.packetId)
    } else if (packet.kind === 'pingresp' && this.pingsUnanswered > 0) {
      this.pingsUnanswered -= 1
      this.pingsAnswered += 1
      this.inbox.wake()
    } else {
      this.inbox.add(packet)
    }
  }
}
