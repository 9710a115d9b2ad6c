/** The state that outlives a network connection (§4.1), and what is known of the connection while there is one. */
import type { Timer } from '../actors/timers.js'
import { encodeText } from '../base/bytes.js'
import type { WillRequest } from '../contracts/records.js'
import type { Identity } from '../contracts/security.js'
import { NEVER_EXPIRES, type ProtocolVersion, type Qos } from '../mqtt/packets.js'
import { DeliveryQueue } from './delivery-queue.js'
import { Inflight } from './inflight.js'
import { PacketIdSet } from './packet-id-set.js'
import type { PendingPublish } from './pending-publish.js'
import type { RetainedBacklog } from './retained-backlog.js'
import { SessionAccess } from './session-access.js'
import type { Subscription } from './subscription.js'
import type { TopicEntry } from './topic-table.js'

/** An answer that keeps its place. */
export interface PendingReply {
  /** undefined while it cannot be given yet. */
  send: (() => void) | undefined
}

export class Session {
  /** In the store; 0 for one that ends with its connection and has no will. */
  number = 0
  /** Number of the connection thread, or -1 while the session is offline. */
  thread = -1
  slot = -1
  /** Messages of the log with smaller sequence numbers may have been sent before the broker died. */
  repeatsBelow = 0
  /** The client has got its CONNACK: before it, nothing may be sent to it. */
  isAccepted = false
  /** Counts connections, so that what was sent on an earlier one is told apart. */
  connection = 0
  /** The socket's buffer is over its bound: the session is treated as offline until it is empty. */
  isSlow = false
  version: ProtocolVersion = 4
  /** A bridge of another broker: its subscriptions are as those of MQTT 5 bridges, who ask for it themselves. */
  isBridge = false
  keepAliveSeconds = 0
  /** Of the connection, or of the last one: its will is published, and its messages wait, in this name. */
  identity: Identity
  /** When the record of its user was made; undefined where there is none. */
  userCreatedAt: string | undefined = undefined
  /** The topic it has last published to, if rules allow that at this moment. */
  allowedEntry: TopicEntry | undefined = undefined
  /** Closes the connection when its token expires. */
  tokenTimer: Timer | undefined = undefined
  /** Seconds; 0 ends the session with its connection. */
  expirySeconds = 0
  /** QoS 1 and 2 messages that may be sent without acknowledgement [MQTT-3.3.4-9]. */
  sendQuota = 0
  /** Of them, sent on this connection and not acknowledged. */
  sent = 0
  maximumPacketBytes = NEVER_EXPIRES
  wantsProblemInformation = true
  /** Published when the connection is lost, unless DISCONNECT took it away [MQTT-3.1.2-8]. */
  will: WillRequest | undefined = undefined
  /** DISCONNECT came with a reason code other than normal disconnection. */
  publishesWillAfterDisconnect = false
  /** Waits for the delay of the will while the session is offline. */
  willTimer: Timer | undefined = undefined
  expiryTimer: Timer | undefined = undefined
  /** Subscriptions by filter as sent, `$share/…` included. */
  readonly subscriptions = new Map<string, Subscription>()
  readonly queue = new DeliveryQueue()
  /** What came after a start of the broker, while older messages are still read from the store: it goes behind them. */
  late: DeliveryQueue | undefined = undefined
  readonly inflight = new Inflight()
  /** QoS 2 messages received and not yet released: a repeat is not delivered again [MQTT-4.3.3-10]. */
  readonly awaitingPubrel = new PacketIdSet()
  /** QoS 1 and 2 messages received on this connection and not done with: they count for the receive maximum. */
  received = 0
  /** PUBLISH packets whose acknowledgement waits for other shards, in order [MQTT-4.6.0-2]. */
  readonly pending: PendingPublish[] = []
  /** Answers to SUBSCRIBE, UNSUBSCRIBE and PINGREQ that wait behind a SUBACK, in order. */
  readonly replies: PendingReply[] = []
  /** Packet identifiers whose messages must be sent again on this connection, in order. */
  resend: number[] = []
  retainedBacklog: RetainedBacklog | undefined = undefined
  /** Bytes pumped since the last MARK, and whether one is on its way. */
  pumpedBytes = 0
  awaitsMark = false
  needsPump = false
  /** QoS 0 messages dropped since the connection was lost. */
  missed = 0
  nextOrder = 1

  #clientIdBytes: Uint8Array | undefined
  #access: SessionAccess | undefined

  constructor(
    readonly clientId: string,
    readonly clientHash: number,
  ) {
    this.identity = { userName: undefined, clientId, address: '', port: 0, claims: undefined }
  }

  /** UTF-8 of the client identifier, made when it is first needed. */
  get clientIdBytes(): Uint8Array {
    this.#clientIdBytes ??= encodeText(this.clientId)
    return this.#clientIdBytes
  }

  /** What rules have said of it; made when it is first needed: most sessions of a broker that starts stay offline. */
  get access(): SessionAccess {
    this.#access ??= new SessionAccess()
    return this.#access
  }

  get isConnected(): boolean {
    return this.thread >= 0
  }

  /** True when a message goes straight to the socket: connected, not slow, nothing older in its way. */
  canSend(qos: Qos): boolean {
    if (!this.isAccepted || this.isSlow) return false
    if (qos === 0) return this.queue.qos0Length === 0
    return this.hasQuota && this.queue.length === 0 && this.resend.length === 0 && this.late === undefined
  }

  /** Its messages are in the log, and wait for flushes. */
  get isLogged(): boolean {
    return this.number > 0 && this.expirySeconds > 0
  }

  /** One more QoS 1 or 2 message may be sent. */
  get hasQuota(): boolean {
    return this.sent < this.sendQuota && !this.inflight.isFull
  }

  /** What was sent must be kept for a later connection. */
  get keepsSent(): boolean {
    return this.expirySeconds > 0
  }
}
