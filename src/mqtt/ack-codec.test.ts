import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { ErrorCode } from '../base/errors.js'
import {
  ACK_BYTES_MAX,
  type AckType,
  AckView,
  checkPing,
  encodeAck,
  isAckReasonCode,
  PINGREQ,
  PINGRESP,
  readAck,
  writeAck,
} from './ack-codec.js'
import { asBuffer, generateWithLibrary, parseWithLibrary } from './packet-library.js'
import * as arbitrary from './packets.arbitraries.js'
import { PacketType, type ProtocolVersion } from './packets.js'
import { block, field, refusalOf, wire } from './wire.fixture.js'

const { PUBACK, PUBREC, PUBREL, PUBCOMP } = PacketType
const TYPES: readonly (readonly [type: AckType, cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'])[] = [
  [PUBACK, 'puback'],
  [PUBREC, 'pubrec'],
  [PUBREL, 'pubrel'],
  [PUBCOMP, 'pubcomp'],
]

function read(type: AckType, version: ProtocolVersion, ...parts: (readonly number[])[]): AckView {
  const body = parts.flat()
  const view = new AckView()
  view.reasonCode = 77
  readAck(Uint8Array.from([9, ...body, 0xff, 0xff]), 1, 1 + body.length, type, version, view)
  return view
}

t.test('bodies of each length', async (t) => {
  t.match({ ...read(PUBACK, 4, [1, 2]) }, { packetId: 258, reasonCode: 0 })
  t.match({ ...read(PUBACK, 5, [0, 1]) }, { packetId: 1, reasonCode: 0 })
  t.match({ ...read(PUBREC, 5, [0, 1, 0x97]) }, { packetId: 1, reasonCode: 0x97 }, 'no property length')
  t.match({ ...read(PUBREL, 5, [0, 1, 0x92, 0]) }, { packetId: 1, reasonCode: 0x92 })
  const properties = block(
    [31, ...field('why')],
    [38, ...field('a'), ...field('b')],
    [38, ...field('a'), ...field('c')],
  )
  t.match({ ...read(PUBCOMP, 5, [255, 255, 0], properties) }, { packetId: 65_535, reasonCode: 0 })
})

type Case = readonly [what: string, type: AckType, version: ProtocolVersion, body: readonly number[], code: ErrorCode]

const REFUSED: readonly Case[] = [
  ['no body', PUBACK, 5, [], 'MALFORMED_PACKET'],
  ['half a packet identifier', PUBACK, 5, [1], 'MALFORMED_PACKET'],
  ['packet identifier 0: MQTT-2.2.1-5', PUBACK, 4, [0, 0], 'PROTOCOL_ERROR'],
  ['a reason code before MQTT 5', PUBACK, 4, [0, 1, 0], 'MALFORMED_PACKET'],
  ['a reason code in MQTT 3.1', PUBACK, 3, [0, 1, 0], 'MALFORMED_PACKET'],
  ['a reason code of PUBREL: MQTT-3.4.2-1', PUBACK, 5, [0, 1, 0x92], 'PROTOCOL_ERROR'],
  ['a reason code that does not exist: MQTT-3.5.2-1', PUBREC, 5, [0, 1, 1], 'PROTOCOL_ERROR'],
  ['a reason code of PUBACK: MQTT-3.6.2-1', PUBREL, 5, [0, 1, 0x97], 'PROTOCOL_ERROR'],
  ['a reason code of PUBREC: MQTT-3.7.2-1', PUBCOMP, 5, [0, 1, 0x10], 'PROTOCOL_ERROR'],
  ['property length beyond the packet', PUBACK, 5, [0, 1, 0, 1], 'MALFORMED_PACKET'],
  ['bytes after the properties', PUBACK, 5, [0, 1, 0, 0, 0], 'MALFORMED_PACKET'],
  ['a property after the properties', PUBACK, 5, [0, 1, 0, 0, 31, 0, 0], 'MALFORMED_PACKET'],
  ['property length not minimal', PUBACK, 5, [0, 1, 0, 0x80, 0], 'MALFORMED_PACKET'],
  ['another property', PUBACK, 5, [0, 1, 0, 2, 1, 1], 'MALFORMED_PACKET'],
  ['reason string twice', PUBACK, 5, [0, 1, 0, 6, 31, 0, 0, 31, 0, 0], 'PROTOCOL_ERROR'],
  ['reason string no UTF-8', PUBACK, 5, [0, 1, 0, 4, 31, 0, 1, 0xff], 'MALFORMED_PACKET'],
]

t.test('what is refused', async (t) => {
  for (const [what, type, version, body, code] of REFUSED) {
    t.equal(
      refusalOf(() => read(type, version, body)),
      code,
      what,
    )
  }
})

t.test('written without properties', async (t) => {
  const target = new Uint8Array(ACK_BYTES_MAX + 1)
  const written = (type: AckType, reasonCode: number, version: ProtocolVersion): number[] => {
    return [...target.subarray(1, writeAck(target, 1, type, 0x0102, reasonCode, version))]
  }
  t.same(written(PUBACK, 0, 5), [0x40, 2, 1, 2])
  t.same(written(PUBACK, 0x87, 4), [0x40, 2, 1, 2], 'MQTT 3.1.1 has no reason codes here')
  t.same(written(PUBREC, 0x97, 5), [0x50, 3, 1, 2, 0x97])
  t.same(written(PUBREL, 0, 3), [0x62, 2, 1, 2], 'MQTT-3.6.1-1')
  t.same(written(PUBCOMP, 0x92, 5), [0x70, 3, 1, 2, 0x92])
})

t.test('the reason string yields to the maximum packet size: MQTT-3.4.2-2', async (t) => {
  const whole = encodeAck(PUBACK, 1, 0x87, 5, 'because')
  t.same([...whole], [...wire(0x40, [0, 1, 0x87], block([31, ...field('because')]))])
  t.same(encodeAck(PUBACK, 1, 0x87, 5, 'because', whole.length), whole)
  t.same([...encodeAck(PUBACK, 1, 0x87, 5, 'because', whole.length - 1)], [0x40, 3, 0, 1, 0x87])
  t.same([...encodeAck(PUBACK, 1, 0x87, 5)], [0x40, 3, 0, 1, 0x87])
  t.same([...encodeAck(PUBACK, 1, 0x87, 4, 'because')], [0x40, 2, 0, 1])
  t.equal(encodeAck(PUBACK, 1, 0x87, 5, 'x'.repeat(65_535)).length, 65_535 + 13)
  t.same([...encodeAck(PUBACK, 1, 0x87, 5, 'x'.repeat(65_536))], [0x40, 3, 0, 1, 0x87])
})

t.test('held to mqtt-packet, both ways', async () => {
  const reasonString = fc.option(arbitrary.text, { nil: undefined })
  const code = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(
      fc.constantFrom(...TYPES),
      arbitrary.packetId,
      code,
      arbitrary.version,
      reasonString,
      ([type, cmd], packetId, anyCode, version, reasonString) => {
        const reasonCode = version === 5 && isAckReasonCode(type, anyCode) ? anyCode : 0
        const ours = encodeAck(type, packetId, reasonCode, version, reasonString)
        const parsed = parseWithLibrary(asBuffer(ours), version)
        assert.deepEqual([parsed.cmd, parsed.messageId], [cmd, packetId])
        assert.equal('reasonCode' in parsed ? parsed.reasonCode : 0, reasonCode)
        const generated = generateWithLibrary(
          { cmd, messageId: packetId, reasonCode, properties: { reasonString } },
          version,
        )
        assert.deepEqual({ ...read(type, version, [...generated.subarray(2)]) }, { packetId, reasonCode })
        assert.deepEqual({ ...read(type, version, [...ours.subarray(2)]) }, { packetId, reasonCode })
      },
    ),
  )
})

t.test('any bytes are read or refused', async () => {
  const valid = arbitrary.text.map((reason) => encodeAck(PUBACK, 1, 0x87, 5, reason).slice(2))
  fc.assert(
    fc.property(arbitrary.damaged(valid), fc.constantFrom(...TYPES), arbitrary.version, (body, [type], version) => {
      refusalOf(() => readAck(body, 0, body.length, type, version, new AckView()))
    }),
    { numRuns: 2_000 },
  )
})

t.test('PING is empty', async (t) => {
  t.equal(
    refusalOf(() => checkPing(0)),
    undefined,
  )
  t.equal(
    refusalOf(() => checkPing(1)),
    'MALFORMED_PACKET',
  )
  t.same([...PINGREQ, ...PINGRESP], [0xc0, 0, 0xd0, 0])
})
