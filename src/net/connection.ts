/** One network connection, as its connection thread sees it. The session is elsewhere. */
import type { Connect, ProtocolVersion } from '../mqtt/packets.js'
import type { Exchange } from '../security/authenticator.js'
import type { Closable } from './accept-limits.js'
import type { OutBuffer } from './out-buffer.js'
import type { PeerDetails } from './peer-details.js'
import type { ConnectionRate } from './rates.js'
import type { InboundAliases, OutboundAliases } from './topic-aliases.js'
import type { Transport } from './transport.js'

export const ConnectionState = {
  /** Nothing received that counts. */
  AWAITING_CONNECT: 0,
  /** Enhanced authentication: the next packet is AUTH. */
  AUTHENTICATING: 1,
  /** The shard has been told and has not answered, perhaps because it waits for the disk: reading is paused. */
  OPENING: 2,
  /** CONNACK is on its way; packets are passed on. */
  CONNECTED: 3,
  /** Last bytes are on their way out; nothing more is read. */
  CLOSING: 4,
  CLOSED: 5,
} as const
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState]

export class Connection {
  state: ConnectionState = ConnectionState.AWAITING_CONNECT
  /** Number of the shard that owns the session; -1 until it has been told. */
  shard = -1
  version: ProtocolVersion = 4
  clientId = ''
  /** CONNACK with success has gone out: a DISCONNECT may follow [MQTT-3.14.0-1]. */
  isAccepted = false
  wantsProblemInformation = true
  maximumPacketBytes = Number.POSITIVE_INFINITY
  packetBytesMax: number
  keepAliveSeconds = 0
  /** The session outlives the connection. */
  hasExpiry = false
  /** Milliseconds since the epoch of the last complete packet. */
  lastPacketMs: number
  /** When the state became CLOSING. */
  closingSinceMs = 0
  cause = 0
  isSlow = false
  isPaused = false
  awaitsDrainForMark = false
  /** How fast it has sent; undefined where nothing limits that. */
  rate: ConnectionRate | undefined = undefined
  /** Bytes of a packet that is not complete yet. */
  partial: Buffer[] = NO_CHUNKS
  partialBytes = 0
  /** Bytes of the packet that `partial` begins with; 0 while unknown. */
  neededBytes = 0
  out: OutBuffer | undefined = undefined
  isDirty = false
  inboundAliases: InboundAliases | undefined = undefined
  outboundAliases: OutboundAliases | undefined = undefined
  /** Enhanced authentication that is under way, and the CONNECT it belongs to. */
  exchange: Exchange | undefined = undefined
  pendingConnect: Connect | undefined = undefined
  /** What it has sent last is with the authenticator: nothing more is read until that has answered. */
  awaitsAuthenticator = false
  /** Who was admitted; undefined for nobody. */
  userName: string | undefined = undefined
  authenticationMethod: string | undefined = undefined
  /** For another authentication on this connection (§4.12.1). */
  lastConnect: Connect | undefined = undefined

  constructor(
    readonly slot: number,
    readonly transport: Transport,
    /** What the limits know the connection by. */
    readonly socket: Closable,
    readonly peer: PeerDetails,
    nowMs: number,
    packetBytesMax: number,
  ) {
    this.lastPacketMs = nowMs
    this.packetBytesMax = packetBytesMax
  }
}

/** Shared by all connections without a partial packet; never added to. */
export const NO_CHUNKS: Buffer[] = []

/** False while it waits for an answer, or is over: what comes is kept for later. */
export function isReadable({ state, awaitsAuthenticator }: Connection): boolean {
  return !awaitsAuthenticator && state !== ConnectionState.OPENING && state < ConnectionState.CLOSING
}
