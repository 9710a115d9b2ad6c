/** What the LoT thread asks of a shard: topics it wants, messages it publishes. */
import { decodeText } from '../base/bytes.js'
import {
  DEPTH_SHIFT,
  FromLotKind,
  GOVERNED,
  ONLY_IF_RETAINED,
  ONLY_RETAIN,
  QOS_BITS,
  RETAIN,
} from '../contracts/lot.js'
import { KIND } from '../contracts/records.js'
import type { Identity } from '../contracts/security.js'
import type { InternalPublish } from '../contracts/threads.js'
import { isSystemTopic } from './access.js'
import { denyLot } from './denial.js'
import { audienceOf, tidy } from './interest.js'
import { LOT_THREAD } from './lot-link.js'
import { retainedIsFull, retainOnly, route } from './routing.js'
import type { ShardState } from './shard-state.js'
import type { TopicEntry } from './topic-table.js'

/** What LoT publishes comes from no client. */
const NOBODY: Identity = { userName: undefined, clientId: '', address: '', port: 0, claims: undefined }

/** A record from the LoT thread. */
export function receiveFromLot(shard: ShardState, bytes: Uint8Array, ints: Int32Array, at: number): void {
  const i = at >> 2
  switch (ints[i + KIND]) {
    case FromLotKind.PUBLISH:
      if (shard.opening === undefined) receivePublish(shard, bytes, ints, at)
      else shard.opening.keepRecord(bytes, ints, at, (copy) => receivePublish(shard, copy.bytes, copy.ints, 0))
      return
    case FromLotKind.TAKEN:
      shard.peers.answer(ints[i + 3], LOT_THREAD, { accepted: ints[i + 4], refused: 1 - ints[i + 4], records: 0 })
      return
    case FromLotKind.WANT:
      want(shard, decodeText(bytes, at + 24, ints[i + 5]), ints[i + 4] === 1)
      shard.lot.confirm(ints[i + 3])
      return
    case FromLotKind.HOOKS:
      shard.lot.hooks = ints[i + 3]
  }
}

function receivePublish(shard: ShardState, bytes: Uint8Array, ints: Int32Array, at: number): void {
  const i = at >> 2
  const flags = ints[i + 3]
  const qos = (flags & QOS_BITS) as 0 | 1 | 2
  shard.fields.readPlain(bytes, ints, at + 24, ints[i + 4], ints[i + 5], qos, (flags & RETAIN) !== 0)
  publish(shard, flags)
}

/** Hot: the message in `shard.fields`. */
function publish(shard: ShardState, flags: number): void {
  const { fields } = shard
  const entry = shard.topics.find(fields.bytes, fields.topicStart, fields.topicBytes, fields.topicHash)
  if ((flags & ONLY_IF_RETAINED) !== 0 && shard.retained.find(entry.name) === undefined) return
  if ((flags & GOVERNED) !== 0) {
    if (!mayPublish(shard, entry)) return
    if (entry.isWatched) shard.lot.forward(fields, undefined, 0, entry.isCommand, flags >> DEPTH_SHIFT)
  }
  if (retainedIsFull(shard, fields, entry)) {
    shard.count('droppedRetainedFull')
    shard.clientLog.log('warn', 'lot retained', 'message of LoT not retained: no room for more retained messages', {
      topic: entry.name,
    })
    fields.retain = false
  }
  if ((flags & ONLY_RETAIN) === 0) route(shard, fields, entry, undefined, false)
  else if (fields.retain) {
    fields.isKeepValue = true
    retainOnly(shard, fields, entry)
  }
}

/** Told and counted if not. */
function mayPublish(shard: ShardState, { name }: TopicEntry): boolean {
  const scope = isSystemTopic(name) ? 'PublishSys' : 'Publish'
  const { allowed, reason } = shard.access.decide({ identity: NOBODY, scope, topic: name })
  if (!allowed) denyLot(shard, `publish ${name}`, reason)
  return allowed
}

function want(shard: ShardState, filter: string, isWanted: boolean): void {
  const audience = audienceOf(shard, filter)
  audience.isWatched = isWanted
  audience.version++
  tidy(shard, audience)
}

/** The LoT thread is gone: what it wanted is forgotten, and what it was asked is not answered any more. */
export function lotThreadLost(shard: ShardState): void {
  shard.lot.hooks = 0
  for (const audience of shard.filters.values()) {
    if (!audience.isWatched) continue
    audience.isWatched = false
    audience.version++
    tidy(shard, audience)
  }
  shard.peers.lose(LOT_THREAD)
}

/** Retained messages by topic, a page at a time. */
export function retainedValues(
  shard: ShardState,
  filter: string,
  after: string | undefined,
  limit: number,
): InternalPublish[] {
  const topics = [...shard.retained.matching(filter)]
  topics.sort((a, b) => (a.name < b.name ? -1 : 1))
  const first = after === undefined ? 0 : topics.findIndex(({ name }) => name > after)
  if (first < 0) return []
  return topics.slice(first, first + limit).flatMap(({ name, message }) => {
    if (message === undefined) return []
    const { bytes, payloadStart, payloadBytes } = message
    return [{ topic: name, payload: bytes.slice(payloadStart, payloadStart + payloadBytes), retain: true }]
  })
}
