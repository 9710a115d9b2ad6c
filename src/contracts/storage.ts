/**
 * What a shard keeps beyond a connection, behind interfaces: the worker hands it an implementation of `storage/`. The
 * broker states here what it needs and knows no implementation.
 */

import type { WillRequest } from './records.js'
import type { Identity } from './security.js'

/** What a store has to know of a message. */
export interface KeptMessage<Self> {
  /** Topic, properties and payload. */
  readonly sizeBytes: number
  readonly payloadBytes: number
  /** Milliseconds since the epoch; Infinity without message expiry. */
  readonly expiresAtMs: number
  /** A copy in memory of its own. */
  alone(retain: boolean): Self
}

export interface RetainedTopic<Message> {
  readonly name: string
  /** undefined once cleared. */
  readonly message: Message | undefined
  /** Orders the messages of a topic; see `RetainedStore`. */
  readonly stamp: number
  /** `arrivals` of the store when it came; 0 for one that subscribers have not got by themselves. */
  readonly arrival: number
}

export interface RetainedLimits {
  readonly messagesMax: number
  readonly bytesMax: number
}

/** A retained message as the store gives it back. */
export interface RestoredRetained {
  readonly message: LoggedMessage
  readonly stamp: number
}

/** The retained messages of the store, as a start reads them. */
export interface StoredRetained {
  /** No message in the store has a later one. */
  readonly lastStamp: number
  countRetained(): number
  hasRetained(topic: string): boolean
  /**
   * In the order of topics' bytes. What is written meanwhile may or may not be among them.
   * @param prefix only of topics that begin with it; some others may come too
   */
  retained(prefix?: string): Iterable<RestoredRetained>
}

/** Retained messages of the store that are still to be read. */
export interface UnreadRetained {
  /** At most so many. */
  readonly left: number
  /** Whether the store has one of this topic. */
  has(topic: string): boolean
  /** Reads that of one topic before its turn, if there is one. */
  read(topic: string): void
}

/**
 * Retained messages (§3.3.1.3). Every shard has all of them, so that a subscription and its retained messages are one
 * step in one thread. Two shards may take publications to one topic at the same time; a stamp that only grows says which
 * of them is the last one, so that all shards end with the same message whatever the order of arrival.
 *
 * After a start they come back from the store while clients are served: between `beginLoading` and `endLoading` what
 * `matching` and `all` give is not all there is, but what is set and cleared holds.
 */
export interface RetainedStore<Message> {
  /** Those below `$SYS` are not counted, and take no room from others. */
  readonly messages: number
  readonly bytes: number
  /** How many messages of this store have reached subscribers too. */
  readonly arrivals: number
  /** False while those of the store are being read. */
  readonly isLoaded: boolean
  /** A stamp later than all given out or seen so far. @param shard 0 to 63, makes stamps of different shards differ */
  nextStamp(nowMs: number, shard: number): number
  /** Whether a message of that size still has room in place of what the topic has. */
  hasRoom(topic: string, sizeBytes: number): boolean
  /**
   * Keeps `message`, or clears the topic for an empty one [MQTT-3.3.1-6]; unless a later one is there already.
   * @param reachesSubscribers those that this shard has now get it by themselves
   */
  set(topic: string, message: Message, stamp: number, nowMs: number, reachesSubscribers: boolean): void
  /** @param lastStamp of the store: those given out from now on are later */
  beginLoading(unread: UnreadRetained, lastStamp: number): void
  /** A message of the store: kept in the memory where it lies, which only such messages share, unless a later one came. */
  restore(topic: string, message: Message, stamp: number): void
  /** All of them have been read. */
  endLoading(nowMs: number): void
  /** All topics with a message, those that begin with `$` too. Do not change the store meanwhile. */
  all(): Iterable<RetainedTopic<Message>>
  /** Topics with a message that `filter` matches. Do not change the store meanwhile. */
  matching(filter: string): Iterable<RetainedTopic<Message>>
  /**
   * The message of one topic, also while the store is being read; undefined if there is none. It may have expired since
   * the last sweep.
   */
  find(topic: string): Message | undefined
  /** Called with a topic when its message is replaced, cleared or has expired; set by who needs to know. */
  onChange: ((topic: string) => void) | undefined
  /** Removes messages that have expired by now, looking at a part of them each time. @returns how many */
  expireSome(nowMs: number): number
}

/** Where a session stands with a message of the log. Only ever grows. */
export const Progress = {
  /** In its queue. */
  QUEUED: 0,
  /** Sent with a packet identifier, not acknowledged. */
  SENT: 1,
  /** QoS 2: PUBREC has come, PUBREL is what is repeated from now on. */
  RELEASED: 2,
  /** Acknowledged, dropped or handed to another. */
  DONE: 3,
} as const
export type Progress = (typeof Progress)[keyof typeof Progress]

/** A message in the log, and how far the sessions of this shard have come with it. One per shard and message. */
export class LogRecord {
  /** By place: packet identifier | `Progress` << 16; undefined until it differs from what the log has. */
  progress: Int32Array | undefined = undefined
  isDirty = false
  /** There was no room for it: its publisher has been told so, and nobody may get it. */
  isRefused = false

  constructor(
    /** Number of the shard whose log has it. */
    readonly log: number,
    readonly sequence: number,
    /** Sessions it is for, of all shards. */
    public places: number,
    /** Of them, those of this shard that are not done. */
    public left: number,
    /** Sessions of other shards wait for it too: this one alone may not delete it. */
    public isSplit: boolean,
  ) {}
}

/** What is known of a session besides its subscriptions and messages. Kept as JSON. */
export interface StoredSession {
  /** Identifies the session in the store; a client identifier may have another session later. */
  readonly number: number
  readonly clientId: string
  /** 0 for one that is kept for its will only. */
  readonly expirySeconds: number
  /** Milliseconds since the epoch; undefined while it is connected. */
  readonly disconnectedAtMs: number | undefined
  readonly will: WillRequest | undefined
  /** Who it belongs to; undefined in stores of versions before 0.2, and for sessions without user and address. */
  readonly owner?: StoredOwner
  /** Messages with smaller sequence numbers may have been sent before a broker died: DUP [MQTT-3.3.1-1]. */
  readonly repeatsBelow: number
}

/** Whose a session is: of `Identity`, what is not the client identifier. */
export interface StoredOwner extends Omit<Identity, 'clientId'> {
  /** `UserProfile.createdAt`; undefined for users that the broker keeps no record of. */
  readonly createdAt?: string
}

/** Kept as JSON. */
export interface StoredSubscription {
  /** As sent, `$share/…` included. */
  readonly filter: string
  readonly qos: 0 | 1 | 2
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number
}

/** What the log keeps of a message. From topic to payload the bytes are those of the wire, packet identifier included. */
export interface LoggedMessage {
  readonly bytes: Uint8Array
  /** The same memory. */
  readonly ints: Int32Array
  readonly topicStart: number
  readonly topicBytes: number
  readonly propertiesStart: number
  readonly propertiesBytes: number
  readonly payloadStart: number
  readonly payloadBytes: number
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Milliseconds since the epoch; Infinity without message expiry. */
  readonly expiresAtMs: number
  /** The value of KEEP TOPIC: rules do not take it for a retained message. */
  readonly isKeepValue: boolean
}

/** One session that a message of the log is for. */
export interface LogReceiver {
  readonly session: number
  /** 0 while it is queued. */
  readonly packetId: number
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Picked for a shared subscription. */
  readonly isShared: boolean
  /** Encoded subscription identifiers. */
  readonly identifiers: Uint8Array | undefined
}

/** A session as the store gives it back. */
export interface RestoredSession {
  readonly session: StoredSession
  readonly subscriptions: readonly StoredSubscription[]
  /** Packet identifiers of QoS 2 messages received and not released. */
  readonly received: readonly number[]
}

/** Sessions of the store that are still to be read. */
export interface UnreadSessions {
  readonly left: number
  has(clientId: string): boolean
  /** Reads that of one client before its turn. @returns undefined if there is none, or it was read */
  take(clientId: string): RestoredSession | undefined
  /** Reads all that are left, one by one. */
  rest(): Iterable<RestoredSession>
}

/** A message of the log and one of the sessions it is for, as the store gives it back. */
export interface RestoredDelivery {
  readonly message: LoggedMessage
  readonly record: LogRecord
  readonly place: number
  readonly receiver: LogReceiver
  readonly packetId: number
  readonly progress: Progress
}

/** A QoS 2 message that must be known as received once it is kept [MQTT-4.3.3-10]. */
export interface Publisher {
  readonly session: number
  readonly packetId: number
}

/**
 * What a shard hands over to be kept. All of it takes effect in the order of the calls. Nothing here waits: whoever must
 * not go on before it is kept asks `whenFlushed`.
 */
export interface ShardStorage<Message> {
  readonly retained: RetainedStore<Message>
  /** False where nothing outlives this thread: then nobody needs to hand over anything. */
  readonly isDurable: boolean
  /** There is no room: what would have to be kept must be refused. */
  readonly isFull: boolean

  /** Everything handed over so far survives what the store promises to survive. */
  readonly isFlushed: boolean
  /**
   * Calls `done` once everything handed over before this call is flushed: only then may it be acknowledged.
   * @param done told false when there was no room for some of it
   */
  whenFlushed(done: (isKept: boolean) => void): void

  /** @returns a number for a new session */
  nextSessionNumber(): number
  /** Of the next message in the log of this shard. */
  readonly nextSequence: number
  putSession(session: StoredSession): void
  /** With its subscriptions and what it has received; its places in the log are for `done`. */
  deleteSession(number: number): void
  putSubscription(session: number, subscription: StoredSubscription): void
  deleteSubscription(session: number, filter: string): void

  /** Adds a session to the record that the next `append` writes. @returns the record; the place is its `places` - 1 */
  addReceiver(receiver: LogReceiver): LogRecord
  /** Whether receivers wait for `append`. */
  readonly hasReceivers: boolean
  /**
   * Writes the message for all receivers added since the last call, if any, and that it was received, as one.
   * @param together number of a message that other shards write too: it takes effect when `commitTogether` says so, and
   *   is written also for no receivers, to be waited for
   * @returns whether anything was written
   */
  append(message: LoggedMessage, publisher: Publisher | undefined, together: number): boolean
  /**
   * Begins what takes effect as one when `commitTogether` says so, as a part of its own: all that is written from here on
   * waits for that.
   */
  beginTogether(together: number): void
  /**
   * All parts are written, by whatever shards: they take effect as one, with what this shard has written between its
   * first part and this.
   * @param parts how many
   * @param publisher of a QoS 2 message, which has been received with that; undefined where no handshake depends on it
   */
  commitTogether(together: number, parts: number, publisher: Publisher | undefined): void
  sent(record: LogRecord, place: number, packetId: number): void
  released(record: LogRecord, place: number, packetId: number): void
  done(record: LogRecord, place: number): void

  /** PUBREL has come. */
  deleteReceived(publisher: Publisher): void

  /** Keeps the message that `retained` has of the topic, or that it has none. */
  putRetained(topic: string, message: LoggedMessage, stamp: number): void
}
