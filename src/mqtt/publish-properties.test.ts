import t from 'tap'
import {
  decodePublishProperties,
  encodePublishProperties,
  encodeSubscriptionIdentifiers,
} from './publish-properties.js'
import { field } from './wire.fixture.js'

t.test('the bytes of each property', async (t) => {
  const bytes = encodePublishProperties({
    payloadFormat: 0,
    expirySeconds: 0xffff_ffff,
    contentType: 'text',
    responseTopic: 'r',
    correlationData: Uint8Array.of(0, 1),
    userProperties: [
      ['b', '2'],
      ['a', '1'],
      ['b', '2'],
    ],
  })
  const [a, b] = [
    [38, ...field('a'), ...field('1')],
    [38, ...field('b'), ...field('2')],
  ]
  const first = [1, 0, 2, 255, 255, 255, 255, 3, ...field('text'), 8, ...field('r'), 9, ...field([0, 1])]
  t.same([...bytes], [...first, ...b, ...a, ...b], 'MQTT-3.3.2-18: user properties keep their order')
  t.equal(encodePublishProperties({}).length, 0)
})

t.test('fields that MQTT has no room for', async (t) => {
  t.throws(() => encodePublishProperties({ contentType: 'x'.repeat(65_536) }), RangeError)
  t.equal(encodePublishProperties({ contentType: 'x'.repeat(65_535) }).length, 65_538)
})

t.test('subscription identifiers', async (t) => {
  const bytes = encodeSubscriptionIdentifiers([1, 268_435_455])
  t.same([...bytes], [11, 1, 11, 255, 255, 255, 127])
  t.same(decodePublishProperties(bytes).subscriptionIdentifiers, [1, 268_435_455])
  t.equal(decodePublishProperties(Uint8Array.of(35, 1, 2)).topicAlias, 258)
})
