/**
 * The actor that owns sockets: what they bring goes to the shards as packets, what shards want goes to the sockets as
 * bytes. It knows connections and no sessions.
 */

import { BrokerError } from '../base/errors.js'
import { RateLimitedLog } from '../base/log-rate.js'
import type { BansChange } from '../contracts/bans.js'
import { Counter } from '../contracts/counters.js'
import { CloseCause, InboundKind, KIND, OutboundKind, type RenewedClaims, SLOT } from '../contracts/records.js'
import { type ControlType, connectVersion, decodeControl } from '../mqtt/control-codec.js'
import { checkFirstByte } from '../mqtt/frame.js'
import { type Auth, type Connect, type Disconnect, PacketType } from '../mqtt/packets.js'
import type { Closable } from './accept-limits.js'
import { checkConnect, connectRequest, shardOf } from './admission.js'
import { type Admitted, Authentication } from './authentication.js'
import { Connection, ConnectionState, isReadable } from './connection.js'
import type { ConnectionResources } from './connection-resources.js'
import { InboundReader } from './inbound.js'
import { OutboundWriter } from './outbound.js'
import { Overdue } from './overdue.js'
import type { PeerDetails } from './peer-details.js'
import { Refusals } from './refusals.js'
import { SlowReading } from './slow-reading.js'
import { ToShards } from './to-shards.js'
import type { Transport } from './transport.js'

/** A MARK counts as reached when less than this waits for the socket. */
const LOW_WATER_BYTES = 65_536

const NO_BYTES = Buffer.alloc(0)

export class ConnectionThread {
  readonly #connections: (Connection | undefined)[] = []
  readonly #freeSlots: number[] = []
  #open = 0
  readonly #inbound: InboundReader
  readonly #outbound: OutboundWriter
  readonly #clientLog: RateLimitedLog
  readonly #authentication: Authentication
  readonly #refusals: Refusals
  readonly #slow: SlowReading
  readonly #overdue: Overdue
  readonly #toShards: ToShards
  #isStopping = false

  constructor(readonly resources: ConnectionResources) {
    const { config, counters, log, clock, rates } = resources
    this.#inbound = new InboundReader(config, counters, (connection, type, bytes, start, length) =>
      this.#control(connection, type, bytes, start, length),
    )
    this.#outbound = new OutboundWriter(counters, this.#connections)
    this.#toShards = new ToShards({
      rings: resources.rings,
      written: resources.written,
      connections: this.#connections,
      readOn: (connection) => this.#readOn(connection),
    })
    this.#slow = new SlowReading({
      inbound: this.#inbound,
      counters,
      limits: rates,
      now: () => clock.now(),
      resume: (connection) => {
        if (isReadable(connection) && !connection.isPaused) this.#readOn(connection)
      },
    })
    this.#clientLog = new RateLimitedLog(log.area('connection'), () => clock.now())
    this.#refusals = new Refusals(
      resources,
      this.#clientLog,
      (connection, packet) => this.#outbound.packet(connection, packet),
      (connection, cause) => this.#close(connection, cause),
    )
    this.#overdue = new Overdue({
      config,
      counters,
      log: this.#clientLog,
      limits: resources.limits,
      connections: this.#connections,
      refuse: (connection, error) => this.#refuse(connection, error),
    })
    this.#authentication = new Authentication(resources.authenticator, {
      send: (connection, packet) => this.#outbound.packet(connection, packet),
      admitted: (connection, connect, admission) => this.#connect(connection, connect, admission),
      renewed: (connection, { claims }) =>
        this.#toShards.tell(connection, InboundKind.CLAIMS, { claims } satisfies RenewedClaims),
      refused: (connection, thrown) => this.#refuse(connection, thrown),
      resumed: (connection) => {
        if (!isReadable(connection)) return // goes on when the shard has answered
        if (!connection.isPaused) this.#readOn(connection)
        this.flush()
      },
    })
  }

  /** Network connections that are not closed yet. */
  get open(): number {
    return this.#open
  }

  /** A network connection that the limits have admitted. `socket` is what they know it by. */
  accept(transport: Transport, socket: Closable, peer: PeerDetails): void {
    const { config, clock, counters } = this.resources
    const slot = this.#freeSlots.pop() ?? this.#connections.length
    const limit = config.connection.packetBytesMaxBeforeConnect
    const connection = new Connection(slot, transport, socket, peer, clock.now(), limit)
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

  #data(connection: Connection, chunk: Buffer, length: number): void {
    if (connection.state >= ConnectionState.CLOSING) return
    const { rates, clock } = this.resources
    const nowMs = clock.now()
    if (!isReadable(connection) || connection.rate?.isHeld === true) {
      if (connection.awaitsAuthenticator) connection.transport.pause()
      if (rates.isOn) this.#slow.stash(connection, chunk, length, nowMs)
      else this.#inbound.stash(connection, chunk, length)
      return
    }
    try {
      if (rates.isOn) this.#slow.take(connection, chunk, length, this.#toShards.ringOf, nowMs)
      else this.#inbound.take(connection, chunk, length, this.#toShards.ringOf, nowMs)
    } catch (thrown) {
      this.#refuse(connection, thrown)
    }
    if (connection.shard >= 0) this.#toShards.publish(connection.shard)
  }

  /** Call after the rings were published anew. @returns true while some shard is behind */
  resumeReading(): boolean {
    return this.#toShards.resumeReading()
  }

  /** Goes on with what came while the connection was not read, then with the socket. */
  #readOn(connection: Connection): void {
    if (connection.rate?.isHeld === true) return // goes on when its time has come
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
        this.#authentication.proceed(connection, decodeControl(PacketType.AUTH, packet, connection.version) as Auth)
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
    connection.version = connect.version
    connection.wantsProblemInformation = connect.requestProblemInformation
    connection.maximumPacketBytes = connect.maximumPacketBytes
    checkConnect(connect, this.resources.config)
    this.#checkBan(connection, connect.clientId, connect.userName) // before a password costs a hash
    this.#authentication.begin(connection, connect)
  }

  /** The client is admitted: its shard makes or finds the session and answers with CONNACK. */
  #connect(connection: Connection, connect: Connect, admission: Admitted): void {
    const { config, rings, limits, suspects, rates, directory } = this.resources
    this.#checkBan(connection, connect.clientId, admission.userName)
    if (config.limits.ban.flappingMax > 0) suspects.connected(connect.clientId, admission.userName)
    if (connection.rate !== undefined) rates.identify(connection.rate, admission.userName)
    limits.connected(connection.socket)
    // nothing was told this thread since the authenticator has decided: its answer waits for no event
    const request = connectRequest(connection, connect, config, admission, directory.number)
    connection.shard = shardOf(request.clientId, rings.length)
    connection.state = ConnectionState.OPENING
    connection.transport.pause()
    this.#toShards.tell(connection, InboundKind.CONNECT, request)
    if (this.#toShards.isBehind(connection.shard)) connection.isPaused = true
  }

  #checkBan({ peer }: Connection, clientId: string, userName: string | undefined): void {
    const { bans, clock } = this.resources
    const nowMs = clock.now()
    // its address may have been banned after its socket was accepted
    const ban = bans.ofClient(clientId, userName, nowMs) ?? bans.ofAddress(peer.address, nowMs)
    if (ban !== undefined) throw new BrokerError('BANNED', { reason: ban.reason })
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
    this.#inbound.pass(connection, PacketType.DISCONNECT, packet, this.#toShards.ringOf(connection))
    this.#close(connection, CloseCause.DISCONNECTED)
  }

  #refuse(connection: Connection, thrown: unknown): void {
    this.#refusals.refuse(connection, thrown)
    this.flush()
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
    this.#slow.forget(connection)
    if (!hadShard) {
      this.#release(connection.slot)
      return
    }
    this.#toShards.signal(connection, InboundKind.CLOSED, connection.cause)
  }

  #release(slot: number): void {
    this.#connections[slot] = undefined
    this.#freeSlots.push(slot)
  }

  #drained(connection: Connection): void {
    if (connection.state !== ConnectionState.CONNECTED) return
    if (connection.awaitsDrainForMark) {
      connection.awaitsDrainForMark = false
      this.#toShards.signal(connection, InboundKind.MARK_REACHED, 0)
    }
    if (connection.isSlow) {
      connection.isSlow = false
      this.#toShards.signal(connection, InboundKind.FLOW, 0)
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
          this.#toShards.signal(connection, InboundKind.MARK_REACHED, 0)
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
    this.#toShards.signal(connection, InboundKind.FLOW, 1)
  }

  /** What is due by now: late CONNECTs, keep alive, sockets that do not close. */
  tick(): void {
    const nowMs = this.resources.clock.now()
    this.#refusals.run(nowMs)
    this.#slow.run(nowMs)
    this.#overdue.run(nowMs)
    this.#clientLog.report()
  }

  /** Others are banned: sessions that have a connection and should not are closed. The rest is asked with CONNECT. */
  changeBans(change: BansChange): void {
    const { bans, clock } = this.resources
    bans.change(change)
    if (!change.bans.some(({ isManual }) => isManual)) return
    const nowMs = clock.now()
    for (const connection of [...this.#connections]) {
      if (connection === undefined || connection.shard < 0 || connection.state >= ConnectionState.CLOSING) continue
      const { clientId, userName, peer } = connection
      const ban = bans.ofOpen(peer.address, clientId, userName, nowMs)
      if (ban === undefined) continue
      const code = connection.isAccepted ? 'BANNED_MEANWHILE' : 'BANNED' // 0x98 is for DISCONNECT alone
      this.#refuse(connection, new BrokerError(code, { reason: ban.reason }))
    }
  }

  /** Connections whose sessions were in a shard that died. Sessions are gone or come back from the store. */
  shardLost(shard: number): void {
    this.#toShards.forget(shard)
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
    this.#slow.stop()
    this.resources.suspects.flush()
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
