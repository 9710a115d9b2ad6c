/** Another shard was started anew: it gets back what the others know. */
import { replaceInterest } from './interest.js'
import { ForwardFlag } from './peers.js'
import type { ShardState } from './shard-state.js'

/** Forgets what the old one wanted, tells the new one what this one wants, and hands it the retained messages. */
export function welcomePeer(shard: ShardState, other: number): void {
  replaceInterest(shard, other)
  // every shard has all retained messages: one of those that are left is enough to hand them over
  if (shard.peers.others.every((peer) => peer === other || peer > shard.index)) handRetained(shard, other)
}

/** What does not fit into the ring waits in its overflow, as much as there are retained messages. */
function handRetained(shard: ShardState, other: number): void {
  const fields = shard.pumpFields
  for (const { message, stamp } of shard.retained.all()) {
    if (message === undefined || message.expiresAtMs <= shard.nowMs) continue
    fields.readMessage(message, shard.nowMs)
    shard.peers.forward(other, fields, {
      number: 0,
      flags: ForwardFlag.RETAIN,
      groups: [],
      stamp,
      publisherHash: 0,
      together: 0,
    })
  }
}
