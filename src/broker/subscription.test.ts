import t from 'tap'
import { decodePublishProperties } from '../mqtt/publish-properties.js'
import { Session } from './session.js'
import { Audience, Subscription, type SubscriptionOptions, sumOf, withoutNoLocal } from './subscription.js'

const ann = new Session('ann', 1)

function subscription(options: Partial<SubscriptionOptions>): Subscription {
  return new Subscription(ann, { qos: 0, noLocal: false, retainAsPublished: false, identifier: 0, ...options })
}

function identifiersOf({ identifiers }: Subscription): readonly number[] {
  return identifiers === undefined ? [] : decodePublishProperties(identifiers).subscriptionIdentifiers
}

t.test('the sum of overlapping subscriptions', async (t) => {
  const cases: {
    title: string
    parts: Partial<SubscriptionOptions>[]
    sum: Partial<SubscriptionOptions> & { hasNoLocal?: boolean }
    identifiers: number[]
  }[] = [
    { title: 'one', parts: [{ qos: 1, identifier: 5 }], sum: { qos: 1 }, identifiers: [5] },
    { title: 'highest QoS', parts: [{ qos: 0 }, { qos: 2 }, { qos: 1 }], sum: { qos: 2 }, identifiers: [] },
    {
      title: 'all identifiers',
      parts: [{ identifier: 5 }, {}, { identifier: 268_435_455 }],
      sum: {},
      identifiers: [5, 268_435_455],
    },
    {
      title: 'no local only if all are',
      parts: [{ noLocal: true }, {}],
      sum: { noLocal: false, hasNoLocal: true },
      identifiers: [],
    },
    { title: 'all no local', parts: [{ noLocal: true }, { noLocal: true }], sum: { noLocal: true }, identifiers: [] },
    {
      title: 'retain as published if one is',
      parts: [{}, { retainAsPublished: true }],
      sum: { retainAsPublished: true, hasNoLocal: false },
      identifiers: [],
    },
  ]
  for (const { title, parts, sum, identifiers } of cases) {
    const result = sumOf(parts.map(subscription))
    t.match(result, sum, title)
    t.same(identifiersOf(result), identifiers, title)
    t.equal(result.session, ann)
  }
})

t.test('what the publisher itself gets', async (t) => {
  t.equal(withoutNoLocal(subscription({ noLocal: true })), undefined)
  const both = sumOf([subscription({ noLocal: true, qos: 2, identifier: 1 }), subscription({ qos: 1, identifier: 2 })])
  const own = withoutNoLocal(both)
  t.equal(own?.qos, 1)
  t.same(own && identifiersOf(own), [2])
  t.equal(withoutNoLocal(sumOf([subscription({ noLocal: true }), subscription({ noLocal: true })])), undefined)
})

t.test('an audience is empty when nobody is left of any kind', async (t) => {
  const audience = new Audience('a')
  t.ok(audience.isEmpty)
  audience.addRemote(1)
  t.notOk(audience.isEmpty)
  audience.removeRemote(1)
  audience.subscribers.set(ann, subscription({}))
  t.notOk(audience.isEmpty)
})
