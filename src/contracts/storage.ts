/**
 * What a shard keeps beyond a connection, behind interfaces: the worker hands it an implementation of `storage/`. The
 * broker states here what it needs and knows no implementation.
 */

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
}

export interface RetainedLimits {
  readonly messagesMax: number
  readonly bytesMax: number
}

/**
 * Retained messages (§3.3.1.3). Every shard has all of them, so that a subscription and its retained messages are one
 * step in one thread. Two shards may take publications to one topic at the same time; a stamp that only grows says which
 * of them is the last one, so that all shards end with the same message whatever the order of arrival.
 */
export interface RetainedStore<Message> {
  readonly messages: number
  readonly bytes: number
  /** The latest stamp given out or seen so far. */
  readonly lastStamp: number
  /** A stamp later than all given out or seen so far. @param shard 0 to 63, makes stamps of different shards differ */
  nextStamp(nowMs: number, shard: number): number
  /** Whether a message of that size still has room in place of what the topic has. */
  hasRoom(topic: string, sizeBytes: number): boolean
  /** Keeps `message`, or clears the topic for an empty one [MQTT-3.3.1-6]; unless a later one is there already. */
  set(topic: string, message: Message, stamp: number, nowMs: number): void
  /** All topics with a message, those that begin with `$` too. Do not change the store meanwhile. */
  all(): Iterable<RetainedTopic<Message>>
  /** Topics with a message that `filter` matches. Do not change the store meanwhile. */
  matching(filter: string): Iterable<RetainedTopic<Message>>
  /** Removes messages that have expired by now, looking at a part of them each time. @returns how many */
  expireSome(nowMs: number): number
}

export interface ShardStorage<Message> {
  readonly retained: RetainedStore<Message>
  /** Everything handed over so far survives what the store promises to survive. Asked once per acknowledgement. */
  readonly isFlushed: boolean
  /** Calls `done` once everything handed over before this call is flushed: only then may it be acknowledged. */
  whenFlushed(done: () => void): void
}
