/**
 * The actor that owns sockets: what they bring goes to the shards as packets, what shards want goes to the sockets as
 * bytes. It knows connections and no sessions.
 */

import type { Clock } from '../base/clock.js'
import { asBrokerError, BrokerError, stackOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import type { RingProducer } from '../base/ring.js'
import type { BrokerConfig } from '../config/schema.js'
import { Counter, type CounterName, type Counters } from '../contracts/counters.js'
import { jsonBytes } from '../contracts/record-json.js'
import { CloseCause, InboundKind, KIND, OutboundKind, SLOT } from '../contracts/records.js'
import {
  type ControlType,
  connectVersion,
  decodeControl,
  encodeAuth,
  encodeConnack,
  encodeDisconnect,
} from '../mqtt/control-codec.js'
import { checkFirstByte } from '../mqtt/frame.js'
import { type Auth, type Connect, type Disconnect, PacketType } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import type { Authenticator, ExchangeStep } from '../security/authenticator.js'
import type { AcceptLimits, Closable } from './accept-limits.js'
import { checkConnect, connectRequest, shardOf } from './admission.js'
import { Connection, ConnectionState } from './connection.js'
import { InboundReader } from './inbound.js'
import { OutboundWriter } from './outbound.js'
import type { Transport } from './transport.js'

/** A socket whose peer does not take the last bytes is closed hard after this. */
const CLOSING_MS_MAX = 5_000
/** A MARK counts as reached when less than this waits for the socket. */
const LOW_WATER_BYTES = 65_536

const NO_BYTES = Buffer.alloc(0)

export interface ConnectionResources {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly counters: Counters
  readonly log: Logger
  readonly limits: AcceptLimits
  readonly authenticator: Authenticator
  /** Towards each shard. */
  readonly rings: RingProducer[]
  /** Bytes were written to the ring of that shard. */
  readonly written: (shard: number) => void
}

export class ConnectionThread {
  readonly #connections: (Connection | undefined)[] = []
  readonly #freeSlots: number[] = []
  #open = 0
  readonly #inbound: InboundReader
  readonly #outbound: OutboundWriter
  readonly #clientLog: RateLimitedLog
  /** Shards whose ring is too full: connections of their sessions are not read. */
  readonly #congested = new Set<number>()
  #isPublishing = false
  #isStopping = false

  constructor(readonly resources: ConnectionResources) {
    const { config, counters, log, clock } = resources
    this.#inbound = new InboundReader(config, counters, (connection, type, bytes, start, length) =>
      this.#control(connection, type, bytes, start, length),
    )
    this.#outbound = new OutboundWriter(counters, this.#connections)
    this.#clientLog = new RateLimitedLog(log.area('connection'), () => clock.now())
  }

  /** Network connections that are not closed yet. */
  get open(): number {
    return this.#open
  }

  /** A network connection that the limits have admitted. `socket` is what they know it by. */
  accept(transport: Transport, socket: Closable, listener: string): void {
    const { config, clock, counters } = this.resources
    const slot = this.#freeSlots.pop() ?? this.#connections.length
    const limit = config.connection.packetBytesMaxBeforeConnect
    const connection = new Connection(slot, transport, socket, listener, clock.now(), limit)
    this.#connections[slot] = connection
    this.#open++
    counters[Counter.connectionsAccepted]++
    counters[Counter.connectionsOpen]++
    transport.open({
      onData: (bytes, length) => this.#data(connection, bytes, length),
      onDrain: () => this.#drained(connection),
      onClose: () => this.#closed(connection),
    })
    if (this.#isStopping) transport.destroy()
  }

  readonly #ringOf = (connection: Connection): RingProducer => this.resources.rings[connection.shard]

  #data(connection: Connection, chunk: Buffer, length: number): void {
    if (connection.state >= ConnectionState.CLOSING) return
    if (!isReadable(connection)) {
      this.#inbound.stash(connection, chunk, length)
      return
    }
    try {
      this.#inbound.take(connection, chunk, length, this.#ringOf, this.resources.clock.now())
    } catch (thrown) {
      this.#refuse(connection, thrown)
    }
    if (connection.shard >= 0) this.#publish(connection.shard)
  }

  /** Makes visible what was written for a shard; when it does not fit, sockets of its sessions are read no further. */
  #publish(shard: number): void {
    this.#isPublishing = true
    this.resources.written(shard)
    this.#isPublishing = false
    if (this.resources.rings[shard].isCongested && !this.#congested.has(shard)) {
      this.#congested.add(shard)
      for (const connection of this.#connections) {
        if (connection === undefined || connection.shard !== shard) continue
        connection.isPaused = true
        connection.transport.pause()
      }
    }
  }

  /**
   * Call after the rings were published anew. From within `written` it changes nothing, because other packets are in
   * the middle of their way then: call it again. @returns true while some shard is behind
   */
  resumeReading(): boolean {
    if (!this.#isPublishing) for (const shard of this.#congested) this.#resumeShard(shard)
    return this.#congested.size > 0
  }

  #resumeShard(shard: number): void {
    if (this.resources.rings[shard].isCongested) return
    this.#congested.delete(shard)
    for (const connection of this.#connections) {
      if (connection === undefined || connection.shard !== shard || !connection.isPaused) continue
      connection.isPaused = false
      if (connection.state === ConnectionState.CONNECTED) this.#readOn(connection)
      if (this.#congested.has(shard)) return // what had waited has filled the ring again: the others stay paused
    }
  }

  /** Goes on with what came while the connection was not read, then with the socket. */
  #readOn(connection: Connection): void {
    connection.transport.resume()
    if (connection.partialBytes > 0) this.#data(connection, NO_BYTES, 0)
  }

  /** What is about the connection itself, and everything before it is with a shard. @returns false to stop reading */
  #control(connection: Connection, type: number, bytes: Uint8Array, start: number, length: number): boolean {
    const packet = bytes.subarray(start, start + length)
    if (connection.state === ConnectionState.AWAITING_CONNECT) {
      if (type !== PacketType.CONNECT) {
        throw new BrokerError('PROTOCOL_ERROR', { reason: 'the first packet must be CONNECT' }) // [MQTT-3.1.0-1]
      }
      connection.version = connectVersion(packet) ?? connection.version
      checkFirstByte(packet[0], connection.version)
      const connect = decodeControl(PacketType.CONNECT, packet, connection.version) as Connect
      this.#begin(connection, connect)
      return isReadable(connection)
    }
    switch (type) {
      case PacketType.CONNECT:
        throw new BrokerError('PROTOCOL_ERROR', { reason: 'a second CONNECT' }) // [MQTT-3.1.0-2]
      case PacketType.AUTH:
        this.#auth(connection, decodeControl(PacketType.AUTH, packet, connection.version) as Auth)
        return isReadable(connection)
      case PacketType.DISCONNECT:
        checkDisconnect(connection, decodeControl(type as ControlType, packet, connection.version) as Disconnect)
        // while authentication goes on, there is no session yet to be told
        if (connection.shard < 0) this.#close(connection, CloseCause.DISCONNECTED)
        else this.#passDisconnect(connection, packet)
        return false
      default:
        throw new BrokerError('PROTOCOL_ERROR', { reason: `packet type ${type} before authentication has ended` })
    }
  }

  #begin(connection: Connection, connect: Connect): void {
    const { config, authenticator } = this.resources
    connection.version = connect.version
    connection.wantsProblemInformation = connect.requestProblemInformation
    connection.maximumPacketBytes = connect.maximumPacketBytes
    checkConnect(connect, config)
    connection.pendingConnect = connect
    const peer = { address: connection.transport.address, listener: connection.listener }
    const method = connect.authenticationMethod
    if (method === undefined) {
      this.#await(connection, authenticator.admit(connect, peer))
      return
    }
    connection.exchange = authenticator.begin(method, connect, peer)
    if (connection.exchange === undefined) throw new BrokerError('BAD_AUTHENTICATION_METHOD', { method })
    this.#await(connection, connection.exchange.step(connect.authenticationData))
  }

  #auth(connection: Connection, auth: Auth): void {
    const { authenticationMethod, exchange } = connection
    const method = connection.pendingConnect?.authenticationMethod ?? authenticationMethod
    if (method === undefined || auth.authenticationMethod !== method) {
      throw new BrokerError('PROTOCOL_ERROR', { reason: 'AUTH without the authentication method of CONNECT' })
    }
    const isNew = auth.reasonCode === ReasonCode.RE_AUTHENTICATE
    if (isNew === (exchange !== undefined)) {
      throw new BrokerError('PROTOCOL_ERROR', { reason: 'AUTH that does not continue or begin an authentication' })
    }
    const peer = { address: connection.transport.address, listener: connection.listener }
    const { lastConnect } = connection
    connection.exchange ??= lastConnect && this.resources.authenticator.begin(method, lastConnect, peer)
    if (connection.exchange === undefined) throw new BrokerError('BAD_AUTHENTICATION_METHOD', { method })
    this.#await(connection, connection.exchange.step(auth.authenticationData))
  }

  /** The next step of authentication. Reading goes on when it is there. */
  #await(connection: Connection, outcome: Promise<ExchangeStep> | ExchangeStep): void {
    if (!(outcome instanceof Promise)) {
      this.#step(connection, outcome)
      return
    }
    connection.state = ConnectionState.ADMITTING
    connection.transport.pause()
    outcome.then(
      (step) => this.#stepLater(connection, step),
      (thrown: unknown) => this.#refuse(connection, thrown),
    )
  }

  #stepLater(connection: Connection, step: ExchangeStep): void {
    if (connection.state !== ConnectionState.ADMITTING) return
    connection.state = connection.shard < 0 ? ConnectionState.AUTHENTICATING : ConnectionState.CONNECTED
    try {
      this.#step(connection, step)
    } catch (thrown) {
      this.#refuse(connection, thrown)
      return
    }
    if (!isReadable(connection)) return // goes on when the shard has answered
    if (!connection.isPaused) this.#readOn(connection)
    this.flush()
  }

  #step(connection: Connection, step: ExchangeStep): void {
    const connect = connection.pendingConnect
    const method = connect?.authenticationMethod ?? connection.authenticationMethod ?? ''
    switch (step.kind) {
      case 'refused': {
        const code = step.reasonCode === ReasonCode.BAD_USER_NAME_OR_PASSWORD ? 'BAD_CREDENTIALS' : 'NOT_AUTHORIZED'
        throw new BrokerError(code, { reason: step.reason })
      }
      case 'continue': {
        const { data: authenticationData } = step
        const reasonCode = ReasonCode.CONTINUE_AUTHENTICATION
        this.#sendAuth(connection, { reasonCode, authenticationMethod: method, authenticationData })
        if (connection.shard < 0) connection.state = ConnectionState.AUTHENTICATING
        return
      }
      case 'admitted':
        connection.exchange = undefined
        if (connect !== undefined) this.#connect(connection, connect, step.userName, step.data)
        else {
          const { data: authenticationData } = step
          this.#sendAuth(connection, {
            reasonCode: ReasonCode.SUCCESS,
            authenticationMethod: method,
            authenticationData,
          })
        }
    }
  }

  #sendAuth(connection: Connection, reply: Parameters<typeof encodeAuth>[0]): void {
    const auth = encodeAuth(reply, connection.maximumPacketBytes)
    if (auth !== undefined) this.#outbound.packet(connection, auth)
  }

  /** The client is admitted: its shard makes or finds the session and answers with CONNACK. */
  #connect(connection: Connection, connect: Connect, userName: string | undefined, data: Uint8Array | undefined): void {
    const { config, rings, limits } = this.resources
    limits.connected(connection.socket)
    const request = connectRequest(connection, connect, config, userName, data)
    connection.pendingConnect = undefined
    if (connect.authenticationMethod !== undefined) connection.lastConnect = { ...connect, will: undefined }
    connection.shard = shardOf(request.clientId, rings.length)
    connection.state = ConnectionState.OPENING
    connection.transport.pause()
    const json = jsonBytes(request)
    const ring = this.#ringOf(connection)
    const at = ring.begin(16 + json.length)
    ring.ints[(at >> 2) + KIND] = InboundKind.CONNECT
    ring.ints[(at >> 2) + SLOT] = connection.slot
    ring.ints[(at >> 2) + 3] = json.length
    ring.bytes.set(json, at + 16)
    ring.end(at, 16 + json.length)
    this.#publish(connection.shard)
    if (this.#congested.has(connection.shard)) connection.isPaused = true
  }

  /** The shard has made or found the session: what the client has sent meanwhile is read on. */
  #accepted(connection: Connection): void {
    connection.state = ConnectionState.CONNECTED
    connection.isAccepted = true
    connection.lastPacketMs = this.resources.clock.now() // it was not read: the silence until now was ours
    if (!connection.isPaused) this.#readOn(connection)
  }

  /** The shard hears of DISCONNECT as a packet in its order, then of the end of the connection. */
  #passDisconnect(connection: Connection, packet: Uint8Array): void {
    this.#inbound.pass(connection, PacketType.DISCONNECT, packet, this.#ringOf(connection))
    this.#close(connection, CloseCause.DISCONNECTED)
  }

  #refuse(connection: Connection, thrown: unknown): void {
    if (connection.state >= ConnectionState.CLOSING) return
    const error = asBrokerError(thrown)
    const { counters, log } = this.resources
    if (error !== thrown) log.error('a connection failed', { error: stackOf(thrown) })
    counters[Counter.protocolErrors]++
    const { clientId, transport } = connection
    const { address } = transport
    this.#clientLog.log('warn', `${error.code} ${clientId || address}`, `connection closed: ${error.message}`, {
      clientId,
      address,
    })
    const { reasonCode } = error
    const reason = connection.wantsProblemInformation ? { reasonString: error.message } : {}
    if (connection.shard >= 0) {
      // the shard's CONNACK may still be on its way, and must come before DISCONNECT [MQTT-3.14.0-1]
      if (connection.version === 5 && connection.isAccepted) {
        const disconnect = encodeDisconnect(reasonCode, reason, connection.maximumPacketBytes)
        if (disconnect !== undefined) this.#outbound.packet(connection, disconnect)
      }
    } else {
      const connack = this.#refusal(connection, error)
      if (connack !== undefined) this.#outbound.packet(connection, connack)
    }
    this.#close(connection, error.code === 'KEEP_ALIVE_TIMEOUT' ? CloseCause.KEEP_ALIVE : CloseCause.VIOLATION)
    this.flush()
  }

  /** A CONNACK for a client that was not admitted; undefined where it has not even sent a CONNECT we understand. */
  #refusal(connection: Connection, error: BrokerError): Uint8Array | undefined {
    const reason = connection.wantsProblemInformation ? { reasonString: error.message } : {}
    if (connection.pendingConnect === undefined && error.code === 'PROTOCOL_ERROR') return undefined
    const connack = { sessionPresent: false, reasonCode: error.reasonCode, ...reason }
    return encodeConnack(connack, connection.version, connection.maximumPacketBytes)
  }

  /** Closes the socket after what was written. The shard hears of it when the socket is closed. */
  #close(connection: Connection, cause: CloseCause): void {
    connection.cause = cause
    connection.closingSinceMs = this.resources.clock.now()
    this.#outbound.flush(connection)
    connection.state = ConnectionState.CLOSING
    connection.transport.end()
  }

  #closed(connection: Connection): void {
    if (connection.state === ConnectionState.CLOSED) return
    const { counters } = this.resources
    const hadShard = connection.shard >= 0
    this.#outbound.drop(connection)
    connection.state = ConnectionState.CLOSED
    connection.partial = []
    connection.partialBytes = 0
    counters[Counter.connectionsOpen]--
    this.#open--
    if (!hadShard) {
      this.#release(connection.slot)
      return
    }
    this.#signal(connection, InboundKind.CLOSED, connection.cause)
  }

  #release(slot: number): void {
    this.#connections[slot] = undefined
    this.#freeSlots.push(slot)
  }

  #signal(connection: Connection, kind: number, value: number): void {
    const ring = this.#ringOf(connection)
    const at = ring.begin(16)
    ring.ints[(at >> 2) + KIND] = kind
    ring.ints[(at >> 2) + SLOT] = connection.slot
    ring.ints[(at >> 2) + 3] = value
    ring.end(at, 16)
    this.#publish(connection.shard)
  }

  #drained(connection: Connection): void {
    if (connection.state !== ConnectionState.CONNECTED) return
    if (connection.awaitsDrainForMark) {
      connection.awaitsDrainForMark = false
      this.#signal(connection, InboundKind.MARK_REACHED, 0)
    }
    if (connection.isSlow) {
      connection.isSlow = false
      this.#signal(connection, InboundKind.FLOW, 0)
    }
  }

  /** A record of a shard. */
  receive(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    const kind = ints[i + KIND]
    if (kind === OutboundKind.DELIVER) {
      this.#outbound.deliver(bytes, ints, at)
      if (this.#outbound.isFull) this.flush()
      return
    }
    const connection = this.#connections[ints[i + SLOT]]
    if (connection === undefined) return
    switch (kind) {
      case OutboundKind.ACKS:
        if (connection.state === ConnectionState.CONNECTED) this.#outbound.acks(connection, ints, at)
        return
      case OutboundKind.ACCEPT:
        this.#sendPacket(connection, bytes, ints, at)
        if (connection.state === ConnectionState.OPENING) this.#accepted(connection)
        return
      case OutboundKind.SEND:
        this.#sendPacket(connection, bytes, ints, at)
        return
      case OutboundKind.CLOSE:
        this.#sendPacket(connection, bytes, ints, at)
        if (connection.state < ConnectionState.CLOSING) this.#close(connection, CloseCause.CLOSED_BY_SHARD)
        return
      case OutboundKind.RELEASED:
        this.#release(connection.slot)
        return
      case OutboundKind.MARK:
        if (connection.state !== ConnectionState.CONNECTED) return
        this.#outbound.flush(connection)
        if (connection.transport.bufferedBytes < LOW_WATER_BYTES) {
          this.#signal(connection, InboundKind.MARK_REACHED, 0)
        } else connection.awaitsDrainForMark = true
    }
  }

  #sendPacket(connection: Connection, bytes: Uint8Array, ints: Int32Array, at: number): void {
    if (connection.state !== ConnectionState.CONNECTED && connection.state !== ConnectionState.OPENING) return
    const length = ints[(at >> 2) + 3]
    this.#outbound.packet(connection, bytes.subarray(at + 16, at + 16 + length))
  }

  /** Writes out what records have left with the connections. */
  flush(): void {
    this.#outbound.flushAll(this.#afterFlush)
  }

  readonly #afterFlush = (connection: Connection): void => {
    if (connection.isSlow || connection.state !== ConnectionState.CONNECTED) return
    const { sendBufferBytesMax } = this.resources.config.connection
    if (connection.transport.bufferedBytes <= sendBufferBytesMax) return
    connection.isSlow = true
    this.#signal(connection, InboundKind.FLOW, 1)
  }

  /** What is due by now: late CONNECTs, keep alive, sockets that do not close. */
  tick(): void {
    const { clock, limits, counters } = this.resources
    const nowMs = clock.now()
    const late = limits.closeLate(nowMs)
    if (late > 0) this.#countRefused('connectTimeouts', late)
    let buffered = 0
    for (const connection of this.#connections) {
      if (connection === undefined) continue
      buffered += connection.transport.bufferedBytes
      if (connection.state === ConnectionState.CLOSING) {
        if (nowMs - connection.closingSinceMs >= CLOSING_MS_MAX) connection.transport.destroy()
      } else if (connection.state === ConnectionState.CONNECTED) this.#checkKeepAlive(connection, nowMs)
    }
    counters[Counter.socketBufferBytes] = buffered
    this.#clientLog.report()
  }

  #checkKeepAlive(connection: Connection, nowMs: number): void {
    const { keepAliveSeconds } = connection
    // not read because a shard is behind: the silence is ours
    if (keepAliveSeconds === 0 || connection.isPaused) return
    const seconds = keepAliveSeconds * 1.5 // [MQTT-3.1.2-22]
    if (nowMs - connection.lastPacketMs < seconds * 1_000) return
    this.resources.counters[Counter.keepAliveTimeouts]++
    this.#refuse(connection, new BrokerError('KEEP_ALIVE_TIMEOUT', { seconds }))
  }

  #countRefused(reason: CounterName, count: number): void {
    this.resources.counters[Counter[reason]] += count
    const { connectSeconds } = this.resources.config.connection
    this.#clientLog.log('warn', reason, `closed ${count} connections without CONNECT within ${connectSeconds} s`)
  }

  /** Connections whose sessions were in a shard that died. Sessions are gone or come back from the store. */
  shardLost(shard: number): void {
    this.#congested.delete(shard)
    for (const connection of [...this.#connections]) {
      if (connection === undefined || connection.shard !== shard) continue
      connection.shard = -1
      if (connection.state === ConnectionState.CLOSED) this.#release(connection.slot)
      else connection.transport.destroy()
    }
  }

  /** Refuses new connections and closes those that nobody else closes; the shards have closed theirs. */
  stop(): void {
    this.#isStopping = true
    for (const connection of this.#connections) {
      if (connection !== undefined && connection.state < ConnectionState.CONNECTED) connection.transport.destroy()
    }
  }

  /** Closes everything at once. */
  destroyAll(): void {
    for (const connection of [...this.#connections]) connection?.transport.destroy()
  }
}

function checkDisconnect(connection: Connection, { sessionExpirySeconds }: Disconnect): void {
  if (connection.hasExpiry || sessionExpirySeconds === undefined || sessionExpirySeconds === 0) return
  const reason = 'a session that was to end with its connection cannot be prolonged (§3.14.2.2.2)'
  throw new BrokerError('PROTOCOL_ERROR', { reason })
}

function isReadable({ state }: Connection): boolean {
  return state !== ConnectionState.ADMITTING && state !== ConnectionState.OPENING && state < ConnectionState.CLOSING
}
