/**
 * What threads count. Each thread has an array of its own in shared memory and is its only writer; the main thread adds
 * them up for `$SYS`. Float64, because a busy broker passes 2^32 messages in a day.
 */
export const COUNTER_NAMES = [
  'connectionsAccepted',
  'connectionsOpen',
  'socketsOpen',
  'connectionsRefusedTotal',
  'connectionsRefusedAddress',
  'connectionsRefusedRate',
  'connectionsRefusedProxy',
  'connectionsRefusedHandshake',
  'connectionsRefusedOrigin',
  'connectionsRefusedBanned',
  'connectionsRefusedUser',
  'connectsRefusedBanned',
  'loginsFailed',
  'loginsDelayed',
  'readsSlowed',
  'connectionsClosedRate',
  'connectionsClosedBanned',
  'descriptorShortages',
  'connectTimeouts',
  'keepAliveTimeouts',
  'protocolErrors',
  'bytesReceived',
  'bytesSent',
  'packetsReceived',
  'packetsSent',
  'publishReceived',
  'publishReceivedBytes',
  'publishSent',
  'publishSentBytes',
  'socketBufferBytes',
  'sessions',
  'sessionsConnected',
  'sessionsDisconnected',
  'sessionsExpired',
  'sessionsRefused',
  'connectionsDenied',
  'subscriptions',
  'sharedSubscriptions',
  'retainedMessages',
  'retainedBytes',
  'messagesStored',
  'messagesStoredBytes',
  'droppedQueueFull',
  'droppedQueueOldest',
  'droppedQos0Offline',
  'droppedQos0Slow',
  'droppedExpired',
  'droppedPacketTooLarge',
  'droppedNotAuthorized',
  'droppedRetainedFull',
  'droppedRetainedUser',
  'droppedRetainedAddress',
  'droppedSessionEnded',
  'droppedStoreFull',
  'refusedSubscriptions',
  'willsPublished',
  'storeCommits',
  'storeRecords',
  'storeElided',
  'storeFull',
  'storeFileBytes',
  'storeFreeBytes',
  'storeGivenUp',
  'lotRuns',
  'lotFailures',
  'lotDropped',
] as const
export type CounterName = (typeof COUNTER_NAMES)[number]

/** Index of each counter in its thread's array. */
export const Counter = Object.freeze(Object.fromEntries(COUNTER_NAMES.map((name, index) => [name, index]))) as Readonly<
  Record<CounterName, number>
>

/** Counters that say how much there is now, and not how much there has been: zero again in a thread started anew. */
export const GAUGES: readonly CounterName[] = [
  'connectionsOpen',
  'socketsOpen',
  'socketBufferBytes',
  'sessions',
  'sessionsConnected',
  'sessionsDisconnected',
  'subscriptions',
  'sharedSubscriptions',
  'retainedMessages',
  'retainedBytes',
  'messagesStored',
  'messagesStoredBytes',
  'storeFull',
  'storeFileBytes',
  'storeFreeBytes',
]

export function createCountersMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTER_NAMES.length * 8)
}

/** The counters of one thread, to be added to in place: `counters[Counter.publishReceived] += 1`. */
export type Counters = Float64Array

export function openCounters(memory: SharedArrayBuffer): Counters {
  return new Float64Array(memory)
}
