import t from 'tap'
import { changeAccess } from './receiving.js'
import { RemovedUsers } from './removed-users.js'
import { ShardFixture } from './shard.fixture.js'

t.test('a client that was admitted before its user was removed comes too late', async (t) => {
  const broker = new ShardFixture()
  const connect = (userName: string | undefined, knownChange: number) =>
    broker.connect('c', { expiry: 100, request: { userName, knownChange } })
  t.same(connect('ann', 3).take(), ['connack'])
  changeAccess(broker.shard(), { users: [], removedUsers: ['ann'], isWhole: false, number: 4 })
  broker.settle()
  t.equal(broker.count('sessions'), 0)
  t.same(connect('ann', 3).take(), ['connack 0x88', 'closed'], 'it was on its way')
  t.equal(broker.count('sessions'), 0)
  t.match(broker.audited.at(-1), { kind: 'denial', user: 'ann', what: 'connect' })
  for (const userName of ['bob', undefined]) {
    const other = connect(userName, 3)
    t.same(other.take(), ['connack'], 'others do not wait for a change that is not theirs')
    other.drop()
    broker.advance(100_000)
  }
  t.same(connect('ann', 4).take(), ['connack'], 'made again, or known by a certificate')
})

t.test('which users may be gone', async (t) => {
  const removed = new RemovedUsers()
  const remove = (number: number, ...removedUsers: string[]) =>
    removed.note({ users: [], removedUsers, isWhole: false, number })
  t.notOk(removed.mayInclude('ann', 0))
  remove(1, 'ann')
  remove(2, 'bob')
  remove(5, 'ann')
  t.ok(removed.mayInclude('ann', 4))
  t.notOk(removed.mayInclude('ann', 5))
  t.ok(removed.mayInclude('bob', 1))
  t.notOk(removed.mayInclude('bob', 2))
  t.notOk(removed.mayInclude('eve', 0))
  for (let number = 6; number < 1_028; number++) remove(number, `user ${number}`)
  t.notOk(removed.mayInclude('eve', 0), 'as many as are remembered')
  remove(1_028, 'one more')
  t.ok(removed.mayInclude('eve', 1), 'who was removed by change 2 is forgotten')
  t.notOk(removed.mayInclude('eve', 2))
  t.notOk(removed.mayInclude(undefined, 0))
  removed.note({ users: [], removedUsers: [], isWhole: true, number: 2_000 })
  t.ok(removed.mayInclude('eve', 1_999), 'a shard that has just begun knows nothing of before')
  t.notOk(removed.mayInclude('ann', 2_000))
})
