/** Rights that are taken away while a message is on its way, or while nobody looks. */
import t from 'tap'
import { NEW_RULES, TestPolicy, type TestRule } from './policy.fixture.js'
import { changeAccess } from './receiving.js'
import { ShardFixture } from './shard.fixture.js'

/** More than what a session can make up for one by one. */
const MANY_CHANGES = 70

t.test('a retained grant still counts for an open subscription after many changes of other rules', async (t) => {
  const rule: TestRule = ({ scope, topic }, world) =>
    scope !== 'Subscribe' || topic !== 'line' || world.hasRetained('grant')
  const policy = new TestPolicy(rule)
  const fixture = new ShardFixture({ policy })
  const [ann, bob] = [fixture.connect('ann'), fixture.connect('bob')]
  bob.publish('grant', 'yes', { retain: true })
  ann.subscribe('#')
  bob.publish('line', 'granted')
  ann.takeAll()
  for (let change = 0; change < MANY_CHANGES; change++) {
    policy.replace(rule, { rules: [{ scope: 'Publish', topic: `of-others/${change}` }], users: new Set() })
    changeAccess(fixture.shard(), NEW_RULES)
  }
  ann.publish('free', 'asks for its rights')
  ann.takeAll()
  bob.publish('line', 'still granted')
  t.match(ann.takeAll(), [/^line=still granted/])
  bob.publish('grant', '', { retain: true })
  ann.takeAll()
  bob.publish('line', 'revoked')
  t.same(ann.takeAll(), [])
})

t.test('what a client has not acknowledged is not repeated when its right is gone', async (t) => {
  const policy = new TestPolicy()
  const fixture = new ShardFixture({ policy })
  const lasting = { cleanStart: false, expiry: 100 }
  const [ann, bob] = [fixture.connect('ann', lasting), fixture.connect('bob')]
  ann.subscribe('#', { qos: 2 })
  ann.take()
  for (const qos of [1, 2] as const) {
    bob.publish('secret', 'x', { qos })
    bob.publish('open', 'x', { qos })
  }
  t.equal(ann.take().length, 4, 'sent, and not acknowledged')
  ann.drop()
  policy.replace(({ scope, topic }) => scope !== 'Subscribe' || topic !== 'secret')
  changeAccess(fixture.shard(), NEW_RULES)
  const again = fixture.connect('ann', lasting)
  t.match(
    again.takeAll().filter((text) => text.includes('=')),
    [/^open=x q1 .*dup/, /^open=x q2 .*dup/],
  )
  again.drop()
  policy.replace(undefined)
  changeAccess(fixture.shard(), NEW_RULES)
  t.match(fixture.connect('ann', lasting).takeAll(), [/connack.*present/], 'nor later')
})
