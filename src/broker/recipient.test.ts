import t from 'tap'
import type { InternalPublish, Recipient } from '../contracts/threads.js'
import { ShardFixture } from './shard.fixture.js'
import { publishInternal } from './shard.js'

function message(recipient: Recipient): InternalPublish {
  return { topic: 'answers', payload: Buffer.from('secret'), retain: false, recipient }
}

t.test('a message to one session reaches nobody else', async (t) => {
  const broker = new ShardFixture({ shards: 2 })
  const join = (clientId: string, userName: string | undefined, filter: string, shard = 0) => {
    const client = broker.connect(clientId, { shard, request: { userName } })
    client.subscribe(filter)
    client.take()
    return client
  }
  const own = join('hub', 'ann', 'answers')
  own.subscribe('+')
  own.take()
  const others = [
    join('hub 2', 'ann', 'answers'),
    join('member', 'ann', '$share/g/answers'),
    join('eve', 'eve', '#'),
    join('elsewhere', undefined, 'answers', 1),
  ]
  const send = (recipient: Recipient, shard = 0): void => {
    publishInternal(broker.shard(shard), [message(recipient)])
    broker.settle()
  }
  send({ clientId: 'hub', userName: 'ann' })
  t.same(own.take(), ['answers=secret q0 #0'], 'once, although two of its subscriptions want it')
  send({ clientId: 'hub', userName: 'eve' })
  send({ clientId: 'hub', userName: undefined })
  t.same(own.take(), [], 'the session is of another user by now')
  send({ clientId: 'member', userName: 'ann' })
  send({ clientId: 'nobody', userName: 'ann' })
  send({ clientId: 'elsewhere', userName: undefined })
  for (const other of others) t.same(other.take(), [], other.clientId)
  send({ clientId: 'elsewhere', userName: undefined }, 1)
  t.same(others[3].take(), ['answers=secret q0 #0'], 'an anonymous one, in its own shard')
  own.unsubscribe('answers', '+')
  own.take()
  send({ clientId: 'hub', userName: 'ann' })
  t.same(own.take(), [], 'it has not asked for answers')
})
