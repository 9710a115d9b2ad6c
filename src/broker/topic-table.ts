/**
 * Topics that were published to lately, each with who gets its messages, found by the hash that the connection thread
 * has computed: no string is made on the way of a message. A changed subscription leaves all entries in place; an entry
 * notices by the versions of the audiences it has.
 */
import { decodeText, sameBytes } from '../base/bytes.js'
import type { BrokerConfig, DurabilityLevel } from '../config/schema.js'
import { NameTree } from '../mqtt/name-tree.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import { isSystemTopic } from './access.js'
import type { FilterTree } from './filter-tree.js'
import type { Session } from './session.js'
import { TOPIC_LENGTH_MAX } from './session-access.js'
import type { SharedGroup } from './shared-group.js'
import { type Audience, type Subscription, sumOf } from './subscription.js'

export const COMMAND_TOPIC = '$SYS/Coreflux/Command'
/** What clients may write below `$SYS`. */
const COMMAND_FILTERS = [COMMAND_TOPIC, '$SYS/Coreflux/Config/New', '$SYS/Coreflux/Routes/+/Events/+']

/** Memory that the table may take, for each of the topics it may have; so much no ordinary topic needs. */
const BYTES_PER_ENTRY = 1_024
/** What an entry takes besides the parts below. Measured, as these are. */
const ENTRY_BYTES = 320
/** Of a level that no other topic shares. */
const LEVEL_BYTES = 96
/** Of an audience or receiver in the lists of an entry. */
const LISTED_BYTES = 16
/**
 * Entries of one bucket. Ordinary topics fill none with more than about ten, but the hash has no secret: who wants may
 * publish to thousands of topics of one bucket, and each look-up would pass by all of them.
 */
const CHAIN_MAX = 16

export class TopicEntry {
  /** Audiences of all filters that match. */
  readonly audiences: Audience[] = []
  /** One per session. */
  receivers: readonly Subscription[] = []
  groups: readonly SharedGroup[] = []
  /** Other shards with ordinary subscribers. */
  remotes: readonly number[] = []
  /** The LoT thread wants these messages. */
  isWatched = false
  /** Sum of the versions of `audiences` when the lists above were made; -1 when they must be made anew. */
  versions = -1
  /** `$SYS`: for what the broker says, not for clients. */
  readonly isReserved: boolean
  /** Begins with `$`: rules for ordinary topics say nothing of it. */
  readonly isSpecial: boolean
  /** Below `$SYS`, and yet for clients to write: to the broker, and to nobody else. */
  readonly isCommand: boolean
  /** What is promised for messages to this topic. */
  readonly durability: DurabilityLevel
  /** Too long to be remembered: made anew for each message. */
  readonly isLong: boolean
  /** Place among the entries of the table; -1 for none. */
  place = -1
  /** Bytes it takes in the table. */
  size = 0
  next: TopicEntry | undefined = undefined
  /** Used again since the hand came by; a topic that came once is the first to go. */
  wasUsed = false
  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
    readonly hash: number,
    config: BrokerConfig['durability'],
  ) {
    this.isSpecial = name.startsWith('$')
    this.isReserved = isSystemTopic(name)
    this.isLong = bytes.length > TOPIC_LENGTH_MAX
    this.isCommand = this.isReserved && COMMAND_FILTERS.some((filter) => filterMatches(filter, name))
    const rule = config.topics.find(({ filter }) => filterMatches(filter, name))
    this.durability = this.isReserved ? 'off' : (rule?.level ?? config.level)
  }
}

export class TopicTable {
  readonly #buckets: (TopicEntry | undefined)[]
  readonly #byName = new NameTree<TopicEntry>()
  readonly #entries: TopicEntry[] = []
  readonly #bytesMax: number
  #bytes = 0
  #hand = 0

  /** @param entriesMax topics remembered, and as many KiB for them; the least recently used go first */
  constructor(
    readonly audiences: FilterTree<Audience>,
    readonly entriesMax: number,
    readonly durability: BrokerConfig['durability'],
    readonly mayReceive: (session: Session, topic: string) => boolean,
  ) {
    let buckets = 256
    while (buckets < entriesMax) buckets *= 2
    this.#buckets = new Array<TopicEntry | undefined>(buckets)
    this.#bytesMax = entriesMax * BYTES_PER_ENTRY
  }

  get size(): number {
    return this.#entries.length
  }

  /** An estimate of what the entries take, not less than it is. */
  get bytes(): number {
    return this.#bytes
  }

  /** Hot: once per message. @returns the entry, with lists that are right for this moment */
  find(bytes: Uint8Array, start: number, length: number, hash: number): TopicEntry {
    let entry = this.#buckets[hash & (this.#buckets.length - 1)]
    while (entry !== undefined) {
      if (entry.hash === hash && entry.bytes.length === length && sameBytes(entry.bytes, 0, bytes, start, length)) break
      entry = entry.next
    }
    if (entry === undefined) entry = this.#add(bytes, start, length, hash)
    else entry.wasUsed = true
    let versions = 0
    for (let i = 0; i < entry.audiences.length; i++) versions += entry.audiences[i].version
    if (versions !== entry.versions) this.#refresh(entry, versions)
    return entry
  }

  /** Who may receive has changed: all lists are made anew when they are needed. */
  doubtAll(): void {
    for (const entry of this.#entries) entry.versions = -1
  }

  /** A filter has got its first subscriber: the topics it matches must know its audience. */
  admit(audience: Audience): void {
    if (this.#entries.length === 0) return // so it is for every stored subscription when the broker starts
    for (const entry of this.#byName.matching(audience.filter)) {
      entry.audiences.push(audience)
      entry.versions = -1
      this.#weigh(entry)
    }
    this.#makeRoom(0)
  }

  /** Filters without subscribers have left the tree: forget their audiences. */
  forgetEmpty(): void {
    for (const entry of this.#entries) {
      const kept = entry.audiences.filter((audience) => !audience.isEmpty)
      if (kept.length === entry.audiences.length) continue
      entry.audiences.splice(0, entry.audiences.length, ...kept)
      entry.versions = -1
      this.#weigh(entry)
    }
  }

  #add(bytes: Uint8Array, start: number, length: number, hash: number): TopicEntry {
    const entry = new TopicEntry(
      decodeText(bytes, start, length),
      bytes.slice(start, start + length),
      hash,
      this.durability,
    )
    this.audiences.match(entry.name, entry.audiences)
    if (!entry.isLong) this.#remember(entry)
    return entry
  }

  #remember(entry: TopicEntry): void {
    entry.size = bytesOf(entry)
    this.#makeRoom(entry.size)
    const bucket = entry.hash & (this.#buckets.length - 1)
    const crowding = crowdingOut(this.#buckets[bucket])
    if (crowding !== undefined) this.#forget(crowding)
    else if (this.#entries.length >= this.entriesMax) this.#forgetUnused()
    entry.place = this.#entries.length
    this.#entries.push(entry)
    this.#bytes += entry.size
    entry.next = this.#buckets[bucket]
    this.#buckets[bucket] = entry
    this.#byName.set(entry.name, entry)
  }

  #refresh(entry: TopicEntry, versions: number): void {
    refresh(entry, versions, this.mayReceive)
    this.#weigh(entry)
    this.#makeRoom(0)
  }

  /** The lists of the entry have changed. */
  #weigh(entry: TopicEntry): void {
    if (entry.place < 0) return
    this.#bytes -= entry.size
    entry.size = bytesOf(entry)
    this.#bytes += entry.size
  }

  /** One entry alone may take more than there is room for. */
  #makeRoom(bytes: number): void {
    while (this.#bytes + bytes > this.#bytesMax && this.#entries.length > 1) this.#forgetUnused()
  }

  /** Second chance: the hand passes over entries used since it came by. */
  #forgetUnused(): void {
    if (this.#hand >= this.#entries.length) this.#hand = 0
    while (this.#entries[this.#hand].wasUsed) {
      this.#entries[this.#hand].wasUsed = false
      this.#hand = (this.#hand + 1) % this.#entries.length
    }
    this.#forget(this.#entries[this.#hand])
    this.#hand++ // what has taken its place is the newest
  }

  #forget(old: TopicEntry): void {
    const last = this.#entries[this.#entries.length - 1]
    this.#entries[old.place] = last
    last.place = old.place
    this.#entries.pop()
    old.place = -1
    this.#bytes -= old.size
    this.#byName.delete(old.name)
    const bucket = old.hash & (this.#buckets.length - 1)
    let link = this.#buckets[bucket]
    if (link === old) {
      this.#buckets[bucket] = old.next
      return
    }
    while (link !== undefined && link.next !== old) link = link.next
    if (link !== undefined) link.next = old.next
  }
}

/** @returns the entry of a full bucket that must go for a new one: the oldest of those not used since, or the oldest */
function crowdingOut(first: TopicEntry | undefined): TopicEntry | undefined {
  let entries = 0
  let oldest: TopicEntry | undefined
  let oldestUnused: TopicEntry | undefined
  for (let entry = first; entry !== undefined; entry = entry.next) {
    entries++
    oldest = entry
    if (!entry.wasUsed) oldestUnused = entry
  }
  return entries < CHAIN_MAX ? undefined : (oldestUnused ?? oldest)
}

function bytesOf({ name, bytes, audiences, receivers }: TopicEntry): number {
  let levels = 1
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) levels++
  const listed = audiences.length + receivers.length
  return ENTRY_BYTES + 2 * bytes.length + LEVEL_BYTES * levels + LISTED_BYTES * listed
}

function refresh(entry: TopicEntry, versions: number, mayReceive: (session: Session, topic: string) => boolean): void {
  entry.versions = versions
  entry.isWatched = entry.audiences.some((audience) => audience.isWatched)
  if (entry.isCommand) return // may hold secrets: whatever clients subscribe to
  const bySession = new Map<Session, Subscription[]>()
  const groups: SharedGroup[] = []
  const remotes = new Set<number>()
  for (const audience of entry.audiences) {
    for (const [session, subscription] of audience.subscribers) {
      const parts = bySession.get(session)
      if (parts !== undefined) parts.push(subscription)
      else if (mayReceive(session, entry.name)) bySession.set(session, [subscription])
    }
    for (const group of audience.groups.values()) groups.push(group)
    for (const shard of audience.remotes) remotes.add(shard)
  }
  entry.receivers = [...bySession.values()].map(sumOf)
  entry.groups = groups
  entry.remotes = [...remotes]
}
