import t from 'tap'
import type { ErrorCode } from '../base/errors.js'
import { ITEMS_MAX } from './byte-reader.js'
import { connectVersion, decodeControl } from './control-codec.js'
import { type Connect, PacketType, type ProtocolVersion, type Subscribe } from './packets.js'
import { filterProblem } from './topic-filter.js'
import { block, field, refusalOf, varint, wire } from './wire.fixture.js'

const { CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH } = PacketType
const V5 = [...field('MQTT'), 5]
const V4 = [...field('MQTT'), 4]
const V3 = [...field('MQIsdp'), 3]

const connectOf = (...parts: (readonly number[])[]): Connect => {
  return decodeControl(CONNECT, wire(0x10, ...parts), 4) as Connect
}

t.test('a plain CONNECT of each version', async (t) => {
  t.match(connectOf(V5, [0x02, 0, 60], block(), field('id')), {
    version: 5,
    clientId: 'id',
    cleanStart: true,
    keepAliveSeconds: 60,
    userName: undefined,
    password: undefined,
    will: undefined,
    sessionExpirySeconds: 0,
    receiveMaximum: 65_535,
    maximumPacketBytes: 0xffff_ffff,
    topicAliasMaximum: 0,
    requestResponseInformation: false,
    requestProblemInformation: true,
  })
  t.match(connectOf(V4, [0, 0, 0], field('id')), { version: 4, cleanStart: false, sessionExpirySeconds: 0xffff_ffff })
  t.match(connectOf(V3, [2, 0, 0], field('x'.repeat(30))), { version: 3, sessionExpirySeconds: 0 })
})

t.test('a bridge of another broker says so by the highest bit of the level', async (t) => {
  t.match(connectOf(field('MQTT'), [0x84, 2, 0, 0], field('id')), { version: 4, isBridge: true, clientId: 'id' })
  t.match(connectOf(field('MQIsdp'), [0x83, 2, 0, 0], field('id')), { version: 3, isBridge: true, clientId: 'id' })
  for (const version of [V5, V4, V3]) {
    const properties = version === V5 ? block() : []
    t.equal(connectOf(version, [2, 0, 0], properties, field('id')).isBridge, false)
  }
})

t.test('a full CONNECT', async (t) => {
  const user = [38, ...field('b'), ...field('1')]
  const connect = connectOf(
    V5,
    [0xf6, 1, 0],
    block([17, 0, 0, 0, 9], [33, 0, 7], [39, 0, 1, 0, 0], [34, 0, 3], [25, 1], [23, 0], user, [
      38,
      ...field('a'),
      ...field(''),
    ]),
    field('id'),
    block([1, 1], [24, 0, 0, 0, 5], [2, 0, 0, 0, 8], user),
    field('will/topic'),
    field([0, 255]),
    field('me'),
    field([1, 2]),
  )
  t.match(connect, {
    keepAliveSeconds: 256,
    userName: 'me',
    sessionExpirySeconds: 9,
    receiveMaximum: 7,
    maximumPacketBytes: 0x1_0000,
    topicAliasMaximum: 3,
    requestResponseInformation: true,
    requestProblemInformation: false,
    will: { topic: 'will/topic', qos: 2, retain: true, delaySeconds: 5 },
  })
  t.same(connect.userProperties, [
    ['b', '1'],
    ['a', ''],
  ])
  t.same([...(connect.password ?? [])], [1, 2])
  t.same([...(connect.will?.payload ?? [])], [0, 255])
  t.same([...(connect.will?.publishProperties ?? [])], [1, 1, 2, 0, 0, 0, 8, ...user], 'the will delay stays behind')
})

t.test('values do not share memory with the packet', async (t) => {
  const packet = wire(
    0x10,
    V5,
    [0xc6, 0, 0],
    block(),
    field('i'),
    block([1, 1]),
    field('w'),
    field('p'),
    field(''),
    field('s'),
  )
  const connect = decodeControl(CONNECT, packet, 5) as Connect
  packet.fill(0)
  t.same([...(connect.password ?? [])], [0x73])
  t.same([...(connect.will?.payload ?? [])], [0x70])
  t.same([...(connect.will?.publishProperties ?? [])], [1, 1])
  for (const part of [connect.password, connect.will?.payload, connect.will?.publishProperties]) {
    t.equal(part?.buffer.byteLength, part?.length, 'nor with the buffer pool, which would cross threads with them')
  }
})

type BodyCase = readonly [what: string, body: readonly number[], code: ErrorCode | undefined]

const id = field('id')
const CONNECTS: readonly BodyCase[] = [
  ['an unknown protocol name: MQTT-3.1.2-1', [...field('HTTP'), 5, 2, 0, 0, 0, ...id], 'UNSUPPORTED_PROTOCOL'],
  ['level 6: MQTT-3.1.2-2', [...field('MQTT'), 6, 2, 0, 0, 0, ...id], 'UNSUPPORTED_PROTOCOL'],
  ['level 3 of MQTT', [...field('MQTT'), 3, 2, 0, 0, ...id], 'UNSUPPORTED_PROTOCOL'],
  ['level 4 of MQIsdp', [...field('MQIsdp'), 4, 2, 0, 0, ...id], 'UNSUPPORTED_PROTOCOL'],
  [
    'the bridge bit with level 5, which has options for it',
    [...field('MQTT'), 0x85, 2, 0, 0, 0, ...id],
    'UNSUPPORTED_PROTOCOL',
  ],
  ['the bridge bit with an unknown level', [...field('MQTT'), 0x83, 2, 0, 0, ...id], 'UNSUPPORTED_PROTOCOL'],
  ['the same of MQIsdp', [...field('MQIsdp'), 0x84, 2, 0, 0, ...id], 'UNSUPPORTED_PROTOCOL'],
  ['a protocol name that is no UTF-8', [...field([0xff]), 4, 2, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['nothing', [], 'MALFORMED_PACKET'],
  ['no level', field('MQTT'), 'MALFORMED_PACKET'],
  ['no flags', V4, 'MALFORMED_PACKET'],
  ['half a keep alive', [...V4, 2, 0], 'MALFORMED_PACKET'],
  ['no client identifier: MQTT-3.1.3-3', [...V4, 2, 0, 0], 'MALFORMED_PACKET'],
  ['the reserved flag: MQTT-3.1.2-3', [...V5, 3, 0, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['will QoS without will: MQTT-3.1.2-11', [...V5, 0x0a, 0, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['will retain without will: MQTT-3.1.2-13', [...V5, 0x22, 0, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['will QoS 3: MQTT-3.1.2-12', [...V5, 0x1e, 0, 0, 0, ...id, 0, ...field('w'), 0, 0], 'MALFORMED_PACKET'],
  ['will flag without will: MQTT-3.1.2-9', [...V5, 0x06, 0, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['no will payload', [...V4, 0x06, 0, 0, ...id, ...field('w')], 'MALFORMED_PACKET'],
  ['an empty will topic: MQTT-4.7.3-1', [...V4, 0x06, 0, 0, ...id, 0, 0, 0, 0], 'TOPIC_NAME_INVALID'],
  ['a wildcard in the will topic', [...V4, 0x06, 0, 0, ...id, ...field('a/#'), 0, 0], 'TOPIC_NAME_INVALID'],
  ['a will topic that is no UTF-8: MQTT-3.1.3-11', [...V4, 6, 0, 0, ...id, ...field([0xff]), 0, 0], 'MALFORMED_PACKET'],
  ['a topic alias in the will', [...V5, 6, 0, 0, 0, ...id, 3, 35, 0, 1, ...field('w'), 0, 0], 'MALFORMED_PACKET'],
  ['payload format 2 of the will', [...V5, 6, 0, 0, 0, ...id, 2, 1, 2, ...field('w'), 0, 0], 'PROTOCOL_ERROR'],
  ['user name flag without user name: MQTT-3.1.2-17', [...V4, 0x82, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['the same in MQTT 3.1, which allows it', [...V3, 0xc2, 0, 0, ...id], undefined],
  ['half a user name in MQTT 3.1', [...V3, 0x82, 0, 0, ...id, 0], 'MALFORMED_PACKET'],
  ['a user name that is no UTF-8: MQTT-3.1.3-12', [...V4, 0x82, 0, 0, ...id, ...field([0xff])], 'MALFORMED_PACKET'],
  ['password flag without password: MQTT-3.1.2-19', [...V5, 0x42, 0, 0, 0, ...id], 'MALFORMED_PACKET'],
  ['password without user name before MQTT 5', [...V4, 0x42, 0, 0, ...id, ...field('p')], 'MALFORMED_PACKET'],
  ['password without user name in MQTT 5', [...V5, 0x42, 0, 0, 0, ...id, ...field('p')], undefined],
  ['a user name without its flag: MQTT-3.1.2-16', [...V4, 2, 0, 0, ...id, ...field('u')], 'MALFORMED_PACKET'],
  [
    'a password without its flag: MQTT-3.1.2-18',
    [...V4, 0x82, 0, 0, ...id, ...field('u'), ...field('p')],
    'MALFORMED_PACKET',
  ],
  ['trailing bytes: MQTT-3.1.4-1', [...V5, 2, 0, 0, 0, ...id, 0], 'MALFORMED_PACKET'],
  ['a client identifier that is no UTF-8: MQTT-3.1.3-4', [...V5, 2, 0, 0, 0, ...field([0xc0])], 'MALFORMED_PACKET'],
  ['a client identifier with U+0000', [...V5, 2, 0, 0, 0, ...field('\0')], 'MALFORMED_PACKET'],
  ['an empty client identifier: MQTT-3.1.3-6', [...V5, 0, 0, 0, 0, 0, 0], undefined],
  ['an empty one with clean session', [...V4, 2, 0, 0, 0, 0], undefined],
  ['an empty one without: MQTT-3.1.3-8', [...V4, 0, 0, 0, 0, 0], 'CLIENT_ID_INVALID'],
  ['an empty one in MQTT 3.1', [...V3, 2, 0, 0, 0, 0], 'CLIENT_ID_INVALID'],
  ['no property length', [...V5, 2, 0, 0], 'MALFORMED_PACKET'],
  ['a property twice', [...V5, 2, 0, 0, 6, 33, 0, 1, 33, 0, 1, ...id], 'PROTOCOL_ERROR'],
  ['receive maximum 0', [...V5, 2, 0, 0, 3, 33, 0, 0, ...id], 'PROTOCOL_ERROR'],
  ['maximum packet size 0', [...V5, 2, 0, 0, 5, 39, 0, 0, 0, 0, ...id], 'PROTOCOL_ERROR'],
  ['a property of CONNACK', [...V5, 2, 0, 0, 2, 36, 1, ...id], 'MALFORMED_PACKET'],
  ['authentication data without method', [...V5, 2, 0, 0, 4, 22, ...field('x'), ...id], 'PROTOCOL_ERROR'],
]

t.test('CONNECT: MQTT-3.1.4-1', async (t) => {
  for (const [what, body, code] of CONNECTS)
    t.equal(
      refusalOf(() => connectOf(body)),
      code,
      what,
    )
  t.match(connectOf(V3, [0xc2, 0, 0], id), { userName: undefined, password: undefined })
  t.same(connectOf(V5, [0x42, 0, 0, 0], id, field('p')).password, Uint8Array.of(0x70))
})

type Case = readonly [what: string, version: ProtocolVersion, body: readonly number[], code: ErrorCode | undefined]

const SUBSCRIBES: readonly Case[] = [
  ['one filter', 4, [0, 1, ...field('a'), 2], undefined],
  ['all options', 5, [0, 1, 0, ...field('a'), 0b10_1110], undefined],
  ['empty: MQTT-3.8.3-2', 4, [0, 1], 'PROTOCOL_ERROR'],
  ['empty in MQTT 5: MQTT-3.8.3-2', 5, [0, 1, 0], 'PROTOCOL_ERROR'],
  ['packet identifier 0: MQTT-2.2.1-3', 4, [0, 0, ...field('a'), 0], 'PROTOCOL_ERROR'],
  ['no packet identifier', 4, [0], 'MALFORMED_PACKET'],
  ['no options', 4, [0, 1, ...field('a')], 'MALFORMED_PACKET'],
  ['no options for the second', 4, [0, 1, ...field('a'), 0, ...field('b')], 'MALFORMED_PACKET'],
  ['filter cut off', 4, [0, 1, 0, 9, 0x61, 0], 'MALFORMED_PACKET'],
  ['QoS 3', 5, [0, 1, 0, ...field('a'), 3], 'PROTOCOL_ERROR'],
  ['QoS 3 before MQTT 5', 4, [0, 1, ...field('a'), 3], 'MALFORMED_PACKET'],
  ['reserved options: MQTT-3.8.3-5', 5, [0, 1, 0, ...field('a'), 0x40], 'MALFORMED_PACKET'],
  ['no local before MQTT 5', 4, [0, 1, ...field('a'), 4], 'MALFORMED_PACKET'],
  ['retain handling 3', 5, [0, 1, 0, ...field('a'), 0x30], 'PROTOCOL_ERROR'],
  ['no local on a shared one: MQTT-3.8.3-4', 5, [0, 1, 0, ...field('$share/g/a'), 4], 'PROTOCOL_ERROR'],
  ['empty filter: MQTT-4.7.3-1', 5, [0, 1, 0, 0, 0, 0], 'PROTOCOL_ERROR'],
  ['filter no UTF-8: MQTT-3.8.3-1', 5, [0, 1, 0, ...field([0xff]), 0], 'MALFORMED_PACKET'],
  ['filter with U+0000: MQTT-4.7.3-2', 5, [0, 1, 0, ...field('a\0'), 0], 'MALFORMED_PACKET'],
  ['subscription identifier 0', 5, [0, 1, 2, 11, 0, ...field('a'), 0], 'PROTOCOL_ERROR'],
  ['two subscription identifiers', 5, [0, 1, 4, 11, 1, 11, 2, ...field('a'), 0], 'PROTOCOL_ERROR'],
  ['a reason string', 5, [0, 1, 4, 31, ...field('x'), ...field('a'), 0], 'MALFORMED_PACKET'],
  ['property length beyond the packet', 5, [0, 1, 99, ...field('a'), 0], 'MALFORMED_PACKET'],
]

t.test('SUBSCRIBE', async (t) => {
  for (const [what, version, body, code] of SUBSCRIBES) {
    t.equal(
      refusalOf(() => decodeControl(SUBSCRIBE, wire(0x82, body), version)),
      code,
      what,
    )
  }
  const body = [0, 9, 3, 11, ...varint(300), ...field('$share/g/#'), 0b10_1010, ...field('a#'), 1]
  t.match(decodeControl(SUBSCRIBE, wire(0x82, body), 5), {
    kind: 'subscribe',
    packetId: 9,
    subscriptionIdentifier: 300,
    subscriptions: [
      { filter: '$share/g/#', qos: 2, noLocal: false, retainAsPublished: true, retainHandling: 2 },
      { filter: 'a#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
    ],
  })
})

t.test('a filter that is wrong by its meaning is for the SUBACK', async (t) => {
  const packet = wire(0x82, [0, 1], field('a'), [0], field('a/#/b'), [0], field('$share/g'), [0])
  const { subscriptions } = decodeControl(SUBSCRIBE, packet, 4) as Subscribe
  t.same(
    subscriptions.map(({ filter }) => filterProblem(filter) === undefined),
    [true, false, false],
  )
})

t.test('the DUP flag of MQTT 3.1', async (t) => {
  t.match(decodeControl(SUBSCRIBE, wire(0x8a, [0, 1], field('a'), [0]), 3), { packetId: 1 })
  t.match(decodeControl(UNSUBSCRIBE, wire(0xaa, [0, 1], field('a')), 3), { filters: ['a'] })
})

const UNSUBSCRIBES: readonly Case[] = [
  ['two filters', 4, [0, 1, ...field('a'), ...field('b')], undefined],
  ['empty: MQTT-3.10.3-2', 4, [0, 1], 'PROTOCOL_ERROR'],
  ['empty in MQTT 5: MQTT-3.10.3-2', 5, [0, 1, 0], 'PROTOCOL_ERROR'],
  ['packet identifier 0', 5, [0, 0, 0, ...field('a')], 'PROTOCOL_ERROR'],
  ['filter no UTF-8: MQTT-3.10.3-1', 5, [0, 1, 0, ...field([0x80])], 'MALFORMED_PACKET'],
  ['empty filter', 4, [0, 1, 0, 0], 'PROTOCOL_ERROR'],
  ['filter cut off', 4, [0, 1, 0, 2, 0x61], 'MALFORMED_PACKET'],
  ['a subscription identifier', 5, [0, 1, 2, 11, 1, ...field('a')], 'MALFORMED_PACKET'],
]

const DISCONNECTS: readonly Case[] = [
  ['empty', 4, [], undefined],
  ['a body before MQTT 5', 4, [0], 'MALFORMED_PACKET'],
  ['empty in MQTT 5', 5, [], undefined],
  ['a reason code alone', 5, [4], undefined],
  ['with properties', 5, [4, ...block([17, 0, 0, 0, 1], [31, ...field('bye')])], undefined],
  ['a reason code of the server: MQTT-3.14.2-1', 5, [0x8e], 'PROTOCOL_ERROR'],
  ['a reason code that does not exist: MQTT-3.14.2-1', 5, [1], 'PROTOCOL_ERROR'],
  ['bytes after the properties', 5, [0, 0, 0], 'MALFORMED_PACKET'],
  ['a property of CONNECT', 5, [0, 3, 33, 0, 1], 'MALFORMED_PACKET'],
  ['session expiry twice', 5, [0, 10, 17, 0, 0, 0, 1, 17, 0, 0, 0, 1], 'PROTOCOL_ERROR'],
]

const AUTHS: readonly Case[] = [
  ['continue', 5, [0x18, ...block([21, ...field('M')], [22, ...field('d')])], undefined],
  ['before MQTT 5', 4, [0x18, ...block([21, ...field('M')])], 'MALFORMED_PACKET'],
  ['success, which the server sends: MQTT-3.15.2-1', 5, [0, ...block([21, ...field('M')])], 'PROTOCOL_ERROR'],
  ['empty, which means success', 5, [], 'PROTOCOL_ERROR'],
  ['without method', 5, [0x18, 0], 'PROTOCOL_ERROR'],
  ['without properties', 5, [0x18], 'MALFORMED_PACKET'],
  ['bytes after the properties', 5, [0x19, ...block([21, ...field('M')]), 0], 'MALFORMED_PACKET'],
  ['a property of CONNECT', 5, [0x18, ...block([21, ...field('M')], [33, 0, 1])], 'MALFORMED_PACKET'],
]

t.test('UNSUBSCRIBE, DISCONNECT, AUTH', async (t) => {
  for (const [type, firstByte, cases] of [
    [UNSUBSCRIBE, 0xa2, UNSUBSCRIBES],
    [DISCONNECT, 0xe0, DISCONNECTS],
    [AUTH, 0xf0, AUTHS],
  ] as const) {
    for (const [what, version, body, code] of cases) {
      t.equal(
        refusalOf(() => decodeControl(type, wire(firstByte, body), version)),
        code,
        what,
      )
    }
  }
  t.match(decodeControl(DISCONNECT, wire(0xe0), 5), { kind: 'disconnect', reasonCode: 0 })
  t.match(decodeControl(DISCONNECT, wire(0xe0, [0x04]), 5), { reasonCode: 4, sessionExpirySeconds: undefined })
})

t.test('exactly one packet', async (t) => {
  const packet = wire(0xe0)
  t.equal(
    refusalOf(() => decodeControl(DISCONNECT, Uint8Array.from([...packet, 0]), 5)),
    'MALFORMED_PACKET',
  )
  t.equal(
    refusalOf(() => decodeControl(DISCONNECT, packet.subarray(0, 1), 5)),
    'MALFORMED_PACKET',
  )
})

t.test('a packet of a million items costs no million objects', async (t) => {
  const filters = (count: number) => Array<number[]>(count).fill(field('a')).flat()
  const pairs = (count: number) => block(...Array<number[]>(count).fill([38, ...field(''), ...field('')]))
  const refused = (type: typeof SUBSCRIBE | typeof UNSUBSCRIBE | typeof DISCONNECT, body: number[]) => {
    return refusalOf(() => decodeControl(type, wire(0, body), 5))
  }
  t.equal(refused(UNSUBSCRIBE, [0, 1, 0, ...filters(ITEMS_MAX)]), undefined)
  t.equal(refused(UNSUBSCRIBE, [0, 1, 0, ...filters(ITEMS_MAX + 1)]), 'QUOTA_EXCEEDED')
  const subscription = [...field('a'), 0]
  const subscriptions = (count: number) => Array<number[]>(count).fill(subscription).flat()
  t.equal(refused(SUBSCRIBE, [0, 1, 0, ...subscriptions(ITEMS_MAX)]), undefined)
  t.equal(refused(SUBSCRIBE, [0, 1, 0, ...subscriptions(ITEMS_MAX + 1)]), 'QUOTA_EXCEEDED')
  t.equal(refused(DISCONNECT, [0, ...pairs(ITEMS_MAX)]), undefined)
  t.equal(refused(DISCONNECT, [0, ...pairs(ITEMS_MAX + 1)]), 'QUOTA_EXCEEDED')
})

t.test('the version in which a refusal is told', async (t) => {
  const versionOf = (...parts: (readonly number[])[]) => connectVersion(wire(0x10, ...parts))
  t.equal(versionOf(V5, [3]), 5)
  t.equal(versionOf(V4, [3]), 4)
  t.equal(versionOf(V3, [3]), 3)
  t.equal(versionOf(field('MQTT'), [6]), 5)
  t.equal(versionOf(field('MQTT'), [0x84]), 4)
  t.equal(versionOf(field('MQTT'), [0x85]), 5)
  t.equal(versionOf(field('MQIsdp'), [0x83]), 3)
  t.equal(versionOf(field('MQTT'), [1]), 4)
  t.equal(versionOf(field('MQTT'), [0]), 4)
  t.equal(versionOf(field('MQIsdp'), [0]), 3)
  t.equal(versionOf(field('MQIsdp'), [9]), 3)
  t.equal(versionOf(field('MQTT')), undefined)
  t.equal(versionOf(field('HTTP'), [5]), undefined)
  t.equal(connectVersion(new Uint8Array(0)), undefined)
})
