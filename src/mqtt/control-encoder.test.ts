import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decodeBrokerPacket } from './client-decoder.js'
import { encodeAuth, encodeConnack, encodeDisconnect, encodeSuback, encodeUnsuback } from './control-encoder.js'
import * as arbitrary from './packets.arbitraries.js'
import type { Connack } from './packets.js'
import { ReasonCode } from './reason-codes.js'
import { block, field, wire } from './wire.fixture.js'

const bytes = (packet: Uint8Array | undefined): number[] => [...(packet ?? [])]

t.test('CONNACK of each version', async (t) => {
  const accepted: Connack = { sessionPresent: true, reasonCode: 0, receiveMaximum: 5 }
  t.same(bytes(encodeConnack(accepted, 5)), [0x20, 6, 1, 0, 3, 33, 0, 5])
  t.same(bytes(encodeConnack(accepted, 4)), [0x20, 2, 1, 0])
  t.same(bytes(encodeConnack(accepted, 3)), [0x20, 2, 0, 0], 'MQTT 3.1 has no session present flag')
  const refused: Connack = { sessionPresent: true, reasonCode: ReasonCode.NOT_AUTHORIZED }
  t.same(bytes(encodeConnack(refused, 5)), [0x20, 3, 0, 0x87, 0], 'MQTT-3.2.2-6')
  t.same(bytes(encodeConnack(refused, 4)), [0x20, 2, 0, 5])
  t.equal(encodeConnack({ ...refused, reasonCode: ReasonCode.MALFORMED_PACKET }, 4), undefined, 'no return code fits')
})

t.test('SUBACK and UNSUBACK', async (t) => {
  t.same(bytes(encodeSuback(258, [0, 1, 2, 0x8f], 5)), [0x90, 7, 1, 2, 0, 0, 1, 2, 0x8f])
  t.same(bytes(encodeSuback(1, [2, 0x8f, 0x97, 0x80], 4)), [0x90, 6, 0, 1, 2, 0x80, 0x80, 0x80])
  t.same(bytes(encodeSuback(1, [2, 0x8f], 3)), [0x90, 4, 0, 1, 2, 0x80])
  t.same(bytes(encodeSuback(1, [0x87], 5, 'no')), bytes(wire(0x90, [0, 1], block([31, ...field('no')]), [0x87])))
  t.same(bytes(encodeUnsuback(1, [0, 0x11], 5)), [0xb0, 5, 0, 1, 0, 0, 0x11])
  t.same(bytes(encodeUnsuback(1, [0, 0x11], 4)), [0xb0, 2, 0, 1])
})

t.test('DISCONNECT and AUTH', async (t) => {
  t.same(bytes(encodeDisconnect(0x8b)), [0xe0, 2, 0x8b, 0])
  const moved = encodeDisconnect(0x9d, { reasonString: 'r', serverReference: 's' })
  t.same(bytes(moved), bytes(wire(0xe0, [0x9d], block([28, ...field('s')], [31, ...field('r')]))))
  const auth = encodeAuth({ reasonCode: 0x18, authenticationMethod: 'M', authenticationData: Uint8Array.of(7) })
  t.same(bytes(auth), bytes(wire(0xf0, [0x18], block([21, ...field('M')], [22, ...field([7])]))))
})

t.test('the reason string yields to the maximum packet size, then nothing may be sent', async (t) => {
  const reasonString = 'a long story'
  const encoders: Readonly<Record<string, (reason: string | undefined, max?: number) => Uint8Array | undefined>> = {
    'MQTT-3.2.2-19': (reason, max) =>
      encodeConnack({ sessionPresent: false, reasonCode: 0x87, reasonString: reason }, 5, max),
    'MQTT-3.9.2-1': (reason, max) => encodeSuback(1, [0x87], 5, reason, max),
    'MQTT-3.11.2-1': (reason, max) => encodeUnsuback(1, [0x87], 5, reason, max),
    'MQTT-3.14.2-3': (reason, max) => encodeDisconnect(0x97, { reasonString: reason }, max),
    'MQTT-3.15.2-2': (reason, max) =>
      encodeAuth({ reasonCode: 0x18, authenticationMethod: 'M', reasonString: reason }, max),
  }
  for (const [statement, encode] of Object.entries(encoders)) {
    const long = encode(reasonString)?.length ?? 0
    const short = encode(undefined)?.length ?? 0
    t.ok(short < long, statement)
    t.equal(encode(reasonString, long)?.length, long)
    t.equal(encode(reasonString, long - 1)?.length, short)
    t.equal(encode(reasonString, short)?.length, short)
    t.equal(encode(reasonString, short - 1), undefined, 'MQTT-3.1.2-24')
    t.ok((encode('x'.repeat(65_535))?.length ?? 0) > 65_535)
    t.equal(encode('x'.repeat(65_536))?.length, short, 'longer than a string can be')
  }
})

t.test('clients read every value of CONNACK', async () => {
  const uint16 = fc.integer({ min: 0, max: 65_535 })
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
  const connack = fc.record(
    {
      sessionPresent: fc.boolean(),
      reasonCode: fc.constant(0),
      sessionExpirySeconds: uint32,
      receiveMaximum: uint16,
      maximumQos: fc.constantFrom<0 | 1>(0, 1),
      retainAvailable: fc.boolean(),
      maximumPacketBytes: uint32,
      assignedClientId: arbitrary.text,
      topicAliasMaximum: uint16,
      reasonString: arbitrary.text,
      wildcardSubscriptionAvailable: fc.boolean(),
      subscriptionIdentifiersAvailable: fc.boolean(),
      sharedSubscriptionAvailable: fc.boolean(),
      serverKeepAliveSeconds: uint16,
      responseInformation: arbitrary.text,
      serverReference: arbitrary.text,
      authenticationMethod: arbitrary.text,
      authenticationData: fc.uint8Array({ maxLength: 9 }).map((data) => Buffer.from(data)),
    },
    { requiredKeys: ['sessionPresent', 'reasonCode'] },
  )
  fc.assert(
    fc.property(connack, (connack) => {
      const packet = encodeConnack(connack, 5)
      assert.ok(packet)
      const decoded = decodeBrokerPacket(packet, 5)
      if (decoded.kind !== 'connack') throw new Error('not a CONNACK')
      const { kind, userProperties, ...values } = decoded
      const present = Object.entries(values).filter(([, value]) => value !== undefined)
      assert.deepEqual(Object.fromEntries(present), { ...connack })
    }),
  )
})
