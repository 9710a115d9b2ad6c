import fc from 'fast-check'
import t from 'tap'
import type { ErrorCode } from '../base/errors.js'
import * as arbitrary from './packets.arbitraries.js'
import {
  checkProperties,
  forEachProperty,
  hasProperty,
  Property,
  PropertySet,
  readPropertiesLength,
  userPropertiesOf,
} from './properties.js'
import { encodePublishProperties } from './publish-properties.js'
import { block, field, refusalOf, varint } from './wire.fixture.js'

const check = (allowed: number, ...properties: number[][]): ErrorCode | undefined => {
  const bytes = Uint8Array.from(properties.flat())
  return refusalOf(() => checkProperties(bytes, 0, bytes.length, allowed))
}

const EVERYWHERE = -1

const GOOD: readonly (readonly [identifier: number, value: readonly number[]])[] = [
  [Property.PAYLOAD_FORMAT_INDICATOR, [1]],
  [Property.MESSAGE_EXPIRY_INTERVAL, [0, 0, 0, 0]],
  [Property.CONTENT_TYPE, field('')],
  [Property.RESPONSE_TOPIC, field('a/b')],
  [Property.CORRELATION_DATA, field([0, 255])],
  [Property.SUBSCRIPTION_IDENTIFIER, varint(268_435_455)],
  [Property.SESSION_EXPIRY_INTERVAL, [255, 255, 255, 255]],
  [Property.ASSIGNED_CLIENT_IDENTIFIER, field('id')],
  [Property.SERVER_KEEP_ALIVE, [0, 0]],
  [Property.AUTHENTICATION_METHOD, field('SCRAM')],
  [Property.AUTHENTICATION_DATA, field([0])],
  [Property.REQUEST_PROBLEM_INFORMATION, [0]],
  [Property.WILL_DELAY_INTERVAL, [0, 0, 0, 5]],
  [Property.REQUEST_RESPONSE_INFORMATION, [1]],
  [Property.RESPONSE_INFORMATION, field('x')],
  [Property.SERVER_REFERENCE, field('x')],
  [Property.REASON_STRING, field('why')],
  [Property.RECEIVE_MAXIMUM, [0, 1]],
  [Property.TOPIC_ALIAS_MAXIMUM, [0, 0]],
  [Property.TOPIC_ALIAS, [1, 0]],
  [Property.MAXIMUM_QOS, [1]],
  [Property.RETAIN_AVAILABLE, [0]],
  [Property.USER_PROPERTY, [...field('name'), ...field('')]],
  [Property.MAXIMUM_PACKET_SIZE, [0, 0, 1, 0]],
  [Property.WILDCARD_SUBSCRIPTION_AVAILABLE, [1]],
  [Property.SUBSCRIPTION_IDENTIFIERS_AVAILABLE, [1]],
  [Property.SHARED_SUBSCRIPTION_AVAILABLE, [0]],
]

t.test('every property that exists', async (t) => {
  t.equal(GOOD.length, Object.keys(Property).length)
  for (const [identifier, value] of GOOD) {
    const property = [identifier, ...value]
    t.equal(check(EVERYWHERE, property), undefined, `${identifier} is read`)
    const repeated = identifier === Property.USER_PROPERTY ? undefined : 'PROTOCOL_ERROR'
    t.equal(check(EVERYWHERE, property, property), repeated, `${identifier} twice`)
    for (let length = 1; length < property.length; length++) {
      t.equal(check(EVERYWHERE, property.slice(0, length)), 'MALFORMED_PACKET', `${identifier} cut to ${length}`)
    }
    t.equal(check(0, property), 'MALFORMED_PACKET', `${identifier} where it is not allowed`)
  }
})

t.test('identifiers that do not exist', async (t) => {
  const known = new Set<number>(Object.values(Property))
  for (let identifier = 0; identifier < 256; identifier++) {
    if (!known.has(identifier))
      t.equal(check(EVERYWHERE, [identifier, 0, 0, 0, 0]), 'MALFORMED_PACKET', `${identifier}`)
  }
})

t.test('where each property may stand', async (t) => {
  const places: Readonly<Record<keyof typeof PropertySet, readonly number[]>> = {
    CONNECT: [17, 21, 22, 23, 25, 33, 34, 38, 39],
    WILL: [1, 2, 3, 8, 9, 24, 38],
    PUBLISH_FROM_CLIENT: [1, 2, 3, 8, 9, 35, 38],
    PUBLISH_FROM_SERVER: [1, 2, 3, 8, 9, 11, 35, 38],
    ACK: [31, 38],
    SUBSCRIBE: [11, 38],
    UNSUBSCRIBE: [38],
    DISCONNECT: [17, 28, 31, 38],
    AUTH: [21, 22, 31, 38],
  }
  for (const [place, identifiers] of Object.entries(places)) {
    const allowed = PropertySet[place as keyof typeof PropertySet]
    for (const [identifier, value] of GOOD) {
      const isRefused = check(allowed, [identifier, ...value]) !== undefined
      t.equal(isRefused, !identifiers.includes(identifier), `${identifier} in ${place}`)
    }
  }
  t.equal(check(PropertySet.PUBLISH_FROM_CLIENT, [11, 1]), 'PROTOCOL_ERROR', 'MQTT-3.3.4-6')
})

const WRONG_VALUES: readonly (readonly [what: string, property: readonly number[], code: ErrorCode])[] = [
  ['payload format 2', [1, 2], 'PROTOCOL_ERROR'],
  ['request problem information 2', [23, 2], 'PROTOCOL_ERROR'],
  ['request response information 2', [25, 255], 'PROTOCOL_ERROR'],
  ['receive maximum 0', [33, 0, 0], 'PROTOCOL_ERROR'],
  ['maximum packet size 0', [39, 0, 0, 0, 0], 'PROTOCOL_ERROR'],
  ['topic alias 0: MQTT-3.3.2-8', [35, 0, 0], 'TOPIC_ALIAS_INVALID'],
  ['subscription identifier 0', [11, 0], 'PROTOCOL_ERROR'],
  ['subscription identifier in a longer form: MQTT-1.5.5-1', [11, 0x81, 0x00], 'MALFORMED_PACKET'],
  ['subscription identifier of five bytes', [11, 0x81, 0x81, 0x81, 0x81, 0x01], 'MALFORMED_PACKET'],
  ['content type with U+0000: MQTT-3.3.2-19', [3, ...field('\0')], 'MALFORMED_PACKET'],
  ['response topic that is no UTF-8: MQTT-3.3.2-13', [8, ...field([0xff])], 'MALFORMED_PACKET'],
  ['response topic with +: MQTT-3.3.2-14', [8, ...field('a/+')], 'PROTOCOL_ERROR'],
  ['response topic with #: MQTT-3.3.2-14', [8, ...field('#')], 'PROTOCOL_ERROR'],
  ['empty response topic', [8, ...field('')], 'PROTOCOL_ERROR'],
  ['reason string that is no UTF-8', [31, ...field([0xc0, 0x80])], 'MALFORMED_PACKET'],
  ['user property name: MQTT-1.5.7-1', [38, ...field([0xed, 0xa0, 0x80]), ...field('')], 'MALFORMED_PACKET'],
  ['user property value: MQTT-1.5.7-1', [38, ...field(''), ...field([0xff])], 'MALFORMED_PACKET'],
]

t.test('values that are refused', async (t) => {
  for (const [what, property, code] of WRONG_VALUES) t.equal(check(EVERYWHERE, [...property]), code, what)
})

t.test('the check of one property ends where it ends', async (t) => {
  // the identifier of the topic alias is the code of #
  t.equal(check(EVERYWHERE, [8, ...field('a')], [35, 0, 1]), undefined)
})

t.test('property length', async (t) => {
  const length = (bytes: number[], end = bytes.length) => readPropertiesLength(Uint8Array.from(bytes), 0, end)
  t.equal(length([0]), 0)
  t.equal(length([2, 1, 1]), 2)
  t.equal(
    refusalOf(() => length([])),
    'MALFORMED_PACKET',
    'MQTT-2.2.2-1: missing',
  )
  t.equal(
    refusalOf(() => length([3, 1, 1])),
    'MALFORMED_PACKET',
    'beyond the packet',
  )
  t.equal(
    refusalOf(() => length([2, 1, 1], 2)),
    'MALFORMED_PACKET',
    'beyond the end given',
  )
  t.equal(
    refusalOf(() => length([0x80, 0x00])),
    'MALFORMED_PACKET',
    'not minimal',
  )
})

t.test('what was seen, and the walk over it', async (t) => {
  const bytes = Uint8Array.from([1, 1, 38, ...field('b'), ...field('1'), 38, ...field('a'), ...field('\ufeff2')])
  const seen = checkProperties(bytes, 0, bytes.length, PropertySet.PUBLISH_FROM_CLIENT)
  t.ok(hasProperty(seen, Property.PAYLOAD_FORMAT_INDICATOR))
  t.notOk(hasProperty(seen, Property.TOPIC_ALIAS))
  const found: number[] = []
  forEachProperty(bytes, 0, bytes.length, (identifier) => found.push(identifier))
  t.same(found, [1, 38, 38])
  t.same(
    userPropertiesOf(bytes, 0, bytes.length),
    [
      ['b', '1'],
      ['a', '\ufeff2'],
    ],
    'in order, nothing stripped: MQTT-1.5.4-3',
  )
})

t.test('any bytes are accepted or refused', async () => {
  const valid = arbitrary.publishProperties.map(encodePublishProperties).filter((bytes) => bytes.length > 0)
  fc.assert(
    fc.property(arbitrary.damaged(valid), fc.nat(5), (bytes, offset) => {
      const shifted = Uint8Array.from([...block().slice(0, offset), ...bytes, 38, 38, 38])
      const start = Math.min(offset, 1)
      refusalOf(() => checkProperties(shifted, start, start + bytes.length, EVERYWHERE))
    }),
    { numRuns: 2_000 },
  )
})
