/** Who subscribed to what: audiences in the filter tree, and what other shards are told of them. */
import { type Interest, PeerKind } from '../contracts/records.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'
import { SharedGroup } from './shared-group.js'
import { Audience } from './subscription.js'

/** Audiences without anybody are swept when there are this many: until then a filter that comes back costs nothing. */
const EMPTY_AUDIENCES_MAX = 1_024

/** Number of an interest whose answer nobody waits for. */
const UNASKED = 0

export function audienceOf(shard: ShardState, filter: string): Audience {
  const known = shard.filters.size
  const audience = shard.filters.getOrAdd(filter, newAudience)
  if (shard.filters.size > known) shard.topics.admit(audience)
  return audience
}

function newAudience(filter: string): Audience {
  return new Audience(filter)
}

export function groupOf(shard: ShardState, audience: Audience, name: string): SharedGroup {
  let group = audience.groups.get(name)
  if (group === undefined) {
    group = new SharedGroup(shard.nextGroupId++, name, audience.filter)
    audience.addGroup(group)
    audience.version++
  }
  return group
}

/** Call after somebody has left: removes a group without members, and sweeps when many audiences are empty. */
export function tidy(shard: ShardState, audience: Audience): void {
  for (const group of audience.groups.values()) {
    if (!group.isEmpty) continue
    audience.removeGroup(group.name)
    audience.version++
  }
  if (!audience.isEmpty) return
  shard.emptyAudiences.add(audience)
  if (shard.emptyAudiences.size < EMPTY_AUDIENCES_MAX) return
  for (const empty of shard.emptyAudiences) {
    // one that was swept before may be here again, while its filter has a new audience
    if (empty.isEmpty && shard.filters.get(empty.filter) === empty) shard.filters.delete(empty.filter)
  }
  shard.emptyAudiences.clear()
  shard.topics.forgetEmpty()
}

/**
 * Tells the other shards of the first ordinary subscriber of a filter or the last, or of the members of a group.
 * @param whenKnown called when all of them know, at once if there are none: only then does a SUBACK keep its promise
 */
export function announce(
  shard: ShardState,
  audience: Audience,
  group: SharedGroup | undefined,
  whenKnown: () => void,
): void {
  const { others } = shard.peers
  if (others.length === 0) {
    whenKnown()
    return
  }
  const number = shard.peers.ask(others, whenKnown)
  for (const other of others) sendInterest(shard, other, number, audience, group)
}

/** A session has got a connection or lost it: its shared subscriptions prefer members that are online. */
export function announcePresence(shard: ShardState, session: Session): void {
  for (const { group } of session.subscriptions.values()) {
    if (group === undefined) continue
    group.countOnline()
    for (const other of shard.peers.others) sendInterest(shard, other, UNASKED, audienceOf(shard, group.filter), group)
  }
}

function sendInterest(
  shard: ShardState,
  other: number,
  number: number,
  audience: Audience,
  group: SharedGroup | undefined,
): void {
  const members = group === undefined ? audience.subscribers.size : group.members.length
  const interest: Interest = {
    filter: audience.filter,
    group: group?.name,
    groupId: group?.id ?? 0,
    online: group?.online ?? 0,
  }
  shard.peers.sendInterest(other, number, group === undefined ? Math.min(1, members) : members, interest)
}

/** Another shard has said what it wants. */
export function receiveInterest(
  shard: ShardState,
  from: number,
  number: number,
  members: number,
  interest: Interest,
): void {
  const audience = audienceOf(shard, interest.filter)
  if (interest.group === undefined) {
    audience.version++
    if (members > 0) audience.addRemote(from)
    else audience.removeRemote(from)
  } else {
    const group = groupOf(shard, audience, interest.group)
    if (members > 0) group.remotes.set(from, { groupId: interest.groupId, members, online: interest.online })
    else group.remotes.delete(from)
  }
  tidy(shard, audience)
  shard.peers.sendAnswer(from, PeerKind.INTEREST_KNOWN, number)
}

/** A shard was started anew: forgets what it wanted, and tells it what this one wants. */
export function replaceInterest(shard: ShardState, other: number): void {
  for (const audience of shard.filters.values()) {
    audience.removeRemote(other)
    for (const group of audience.groups.values()) group.remotes.delete(other)
    audience.version++
    tidy(shard, audience)
    if (audience.subscribers.size > 0) sendInterest(shard, other, UNASKED, audience, undefined)
    for (const group of audience.groups.values()) {
      if (group.members.length > 0) sendInterest(shard, other, UNASKED, audience, group)
    }
  }
}
