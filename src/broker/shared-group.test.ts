import t from 'tap'
import { Session } from './session.js'
import { SharedGroup, type ShareStrategy } from './shared-group.js'
import { Subscription } from './subscription.js'

function member(clientId: string, connected = true): Subscription {
  const session = new Session(clientId, 1)
  if (connected) session.thread = 0
  session.isAccepted = connected
  session.sendQuota = 1
  return new Subscription(session, { qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 })
}

function groupOf(...members: readonly Subscription[]): SharedGroup {
  const group = new SharedGroup(1, 'workers', 'jobs/#')
  for (const one of members) group.put(one)
  return group
}

function names(subscriptions: readonly (Subscription | undefined)[]): string[] {
  return subscriptions.map((subscription) => subscription?.session.clientId ?? 'nobody')
}

function memberFrom(group: SharedGroup, place: number, except?: Session): Subscription | undefined {
  return group.localFrom(place, 'a', () => true, except)
}

t.test('members join once and leave', async (t) => {
  const [ann, bob] = [member('ann'), member('bob')]
  const group = groupOf(ann, bob)
  const again = new Subscription(ann.session, { qos: 2, noLocal: false, retainAsPublished: false, identifier: 0 })
  group.put(again)
  t.equal(group.members.length, 2)
  t.equal(group.memberOf(ann.session), again, 'replaced [MQTT-3.8.4-3]')
  group.remove(bob.session)
  group.remove(bob.session)
  t.same(names(group.members), ['ann'])
  t.notOk(group.isEmpty)
  group.remove(ann.session)
  t.ok(group.isEmpty)
  group.remotes.set(1, { groupId: 7, members: 2, online: 2 })
  t.notOk(group.isEmpty, 'members of other shards count')
})

t.test('turns go over local and remote members', async (t) => {
  const group = groupOf(member('ann'), member('bob'))
  group.remotes.set(5, { groupId: 1, members: 2, online: 2 })
  group.remotes.set(6, { groupId: 1, members: 1, online: 1 })
  const places = Array.from({ length: 10 }, () => group.turn('roundRobin', 0, 0))
  t.same([...places].sort(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], 'each as often as the others')
  t.same(
    [0, 1, 2, 3, 4, 5].map((place) => group.shardAt(place)),
    [undefined, undefined, 5, 5, 6, undefined],
  )
})

t.test('strategies', async (t) => {
  const group = groupOf(member('ann'), member('bob'), member('cas'))
  const turns = (strategy: ShareStrategy): number[] =>
    [
      [3, 1],
      [3, 2],
      [-1, 1],
      [4, 2],
    ].map(([topicHash, publisherHash]) => group.turn(strategy, topicHash, publisherHash))
  t.same(turns('hashTopic'), [0, 0, 0xffff_ffff % 3, 1])
  t.same(turns('hashClient'), [1, 2, 1, 2])
  const [first, ...others] = turns('sticky')
  t.same(others, [first, first, first])
  const places = turns('roundRobin')
  t.equal(new Set(places.slice(0, 3)).size, 3)
})

t.test('sticky and round robin stay within the members when some leave', async (t) => {
  for (const strategy of ['sticky', 'roundRobin'] as const) {
    const members = ['ann', 'bob', 'cas'].map((name) => member(name))
    const group = groupOf(...members)
    for (let turn = 0; turn < 5; turn++) group.turn('roundRobin', 0, 0)
    group.remove(members[0].session)
    group.remove(members[1].session)
    t.equal(group.turn(strategy, 0, 0), 0, strategy)
  }
})

t.test('who of this shard gets it', async (t) => {
  const [ann, bob, cas] = [member('ann'), member('bob'), member('cas', false)]
  const group = groupOf(ann, bob, cas)
  t.same(
    names([0, 1, 2].map((place) => memberFrom(group, place))),
    ['ann', 'bob', 'ann'],
    'offline members are passed over',
  )
  bob.session.sent = 1
  t.same(
    names([0, 1, 2].map((place) => memberFrom(group, place))),
    ['ann', 'ann', 'ann'],
    'and those whose window is full',
  )
  ann.session.sent = 1
  t.same(names([0, 1].map((place) => memberFrom(group, place))), ['ann', 'bob'], 'somebody who is there must queue it')
  for (const { session } of [ann, bob]) session.thread = -1
  group.countOnline()
  t.same(names([0, 1, 2].map((place) => memberFrom(group, place))), ['ann', 'bob', 'cas'], 'or anybody')
  t.same(names([memberFrom(groupOf(), 0)]), ['nobody'])
})

t.test('a member that rules forbid the topic is passed over', async (t) => {
  const [ann, bob] = [member('ann'), member('bob')]
  const group = groupOf(ann, bob)
  const forbids = ({ clientId }: Session, topic: string): boolean => topic !== 'secret' || clientId !== 'ann'
  t.same(names([group.localFrom(0, 'secret', forbids), group.localFrom(0, 'a', forbids)]), ['bob', 'ann'])
  group.remove(bob.session)
  t.same(names([group.localFrom(0, 'secret', forbids)]), ['nobody'], 'not even to queue it')
})

t.test('one that has gone away gets nothing, if there is anybody else', async (t) => {
  const [ann, bob] = [member('ann'), member('bob')]
  const group = groupOf(ann, bob)
  t.same(names([memberFrom(group, 0, ann.session)]), ['bob'])
  bob.session.sent = 1
  t.same(names([memberFrom(group, 0, ann.session)]), ['bob'], 'to queue')
  group.remove(bob.session)
  t.same(names([memberFrom(group, 0, ann.session)]), ['nobody'])
})

t.test('messages from another shard are shared evenly among the members of this one', async (t) => {
  const members = ['ann', 'bob'].map((name) => member(name))
  const group = groupOf(...members)
  group.remotes.set(1, { groupId: 1, members: 1, online: 1 })
  const counts = [0, 0]
  for (let turn = 0; turn < 600; turn++) counts[group.localTurn('roundRobin', 0, 0)]++
  t.same(counts, [300, 300])
  const sticky = [0, 1, 2].map(() => group.localTurn('sticky', 0, 0))
  t.equal(new Set(sticky).size, 1)
  t.same([group.localTurn('hashTopic', 5, 0), group.localTurn('hashClient', 0, -2)], [1, 0])
})

t.test('members without a connection have no turn while anybody has one', async (t) => {
  const [ann, bob, cas] = [member('ann', false), member('bob'), member('cas')]
  const group = groupOf(ann, bob, cas)
  group.remotes.set(5, { groupId: 1, members: 4, online: 1 })
  group.remotes.set(6, { groupId: 1, members: 9, online: 0 })
  const turn = (): string => {
    const place = group.turn('roundRobin', 0, 0)
    return String(group.shardAt(place) ?? names([memberFrom(group, place)]))
  }
  t.same(Array.from({ length: 6 }, turn).sort(), ['5', '5', 'bob', 'bob', 'cas', 'cas'])
  for (const { session } of [bob, cas]) session.isAccepted = false
  for (const { session } of [bob, cas]) session.thread = -1
  group.countOnline()
  t.same(new Set(Array.from({ length: 3 }, turn)), new Set(['5']), 'none is left here')
  group.remotes.set(5, { groupId: 1, members: 1, online: 0 })
  group.remotes.delete(6)
  t.same(Array.from({ length: 4 }, turn).sort(), ['5', 'ann', 'bob', 'cas'], 'nobody anywhere: all queue')
})
