import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { checkFirstByte, FrameStatus, FrameView, readFrame } from './frame.js'
import { PacketType, type ProtocolVersion } from './packets.js'
import { writePublishHeader } from './publish-writer.js'
import { refusalOf, wire } from './wire.fixture.js'

t.test('frames at any offset', async (t) => {
  const frame = new FrameView()
  const bytes = Uint8Array.of(9, 9, 0xc0, 0x00, 0x40, 0x02, 0x00, 0x01, 0x30)
  t.equal(readFrame(bytes, 2, bytes.length, frame), FrameStatus.COMPLETE)
  t.match({ ...frame }, { firstByte: 0xc0, bodyStart: 4, bodyLength: 0, packetBytes: 2 })
  t.equal(readFrame(bytes, 4, bytes.length, frame), FrameStatus.COMPLETE)
  t.match({ ...frame }, { firstByte: 0x40, bodyStart: 6, bodyLength: 2, packetBytes: 4 })
  t.equal(readFrame(bytes, 8, bytes.length, frame), FrameStatus.INCOMPLETE)
  t.equal(frame.packetBytes, -1, 'not known before the header is complete')
  t.equal(readFrame(bytes, 9, bytes.length, frame), FrameStatus.INCOMPLETE, 'nothing at all')
})

t.test('the size of a packet is known before its body arrives', async (t) => {
  const frame = new FrameView()
  t.equal(readFrame(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f), 0, 5, frame), FrameStatus.INCOMPLETE)
  t.equal(frame.packetBytes, 5 + 268_435_455)
})

t.test('remaining lengths that are malformed', async (t) => {
  const frame = new FrameView()
  t.equal(readFrame(Uint8Array.of(0x30, 0x80, 0x00), 0, 3, frame), FrameStatus.MALFORMED, 'MQTT-1.5.5-1')
  t.equal(readFrame(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), 0, 6, frame), FrameStatus.MALFORMED)
})

t.test('any split of a stream gives the same frames', async () => {
  const body = fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ minLength: 120, maxLength: 300 }))
  const packets = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), body), { maxLength: 8 })
  fc.assert(
    fc.property(packets, fc.array(fc.integer({ min: 1, max: 90 })), (packets, sizes) => {
      const whole = packets.map(([firstByte, body]) => wire(firstByte, [...body]))
      assert.deepEqual(
        framesOf(Buffer.concat(whole), sizes),
        whole.map((packet) => Buffer.from(packet)),
      )
    }),
  )
})

/** As a connection does: keeps what is incomplete, appends the next read. */
function framesOf(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const frame = new FrameView()
  const frames: Buffer[] = []
  let rest = Buffer.alloc(0)
  let from = 0
  for (let turn = 0; from < stream.length; turn++) {
    const size = sizes[turn] ?? stream.length
    rest = Buffer.concat([rest, stream.subarray(from, from + size)])
    from += size
    let offset = 0
    while (readFrame(rest, offset, rest.length, frame) === FrameStatus.COMPLETE) {
      frames.push(rest.subarray(offset, offset + frame.packetBytes))
      offset += frame.packetBytes
    }
    rest = rest.subarray(offset)
  }
  return frames
}

t.test('a header of ours is a header that we read', async () => {
  fc.assert(
    fc.property(fc.nat(268_435_455), (remainingLength) => {
      const bytes = new Uint8Array(5)
      const frame = new FrameView()
      const end = writePublishHeader(bytes, 0, 0x32, remainingLength)
      readFrame(bytes, 0, end, frame)
      assert.deepEqual([frame.firstByte, frame.bodyStart, frame.bodyLength], [0x32, end, remainingLength])
    }),
  )
})

t.test('first bytes that a client may send', async (t) => {
  const flags: Readonly<Record<number, readonly number[]>> = {
    [PacketType.CONNECT]: [0],
    [PacketType.PUBLISH]: [0, 1, 2, 3, 4, 5, 10, 11, 12, 13],
    [PacketType.PUBACK]: [0],
    [PacketType.PUBREC]: [0],
    [PacketType.PUBREL]: [2],
    [PacketType.PUBCOMP]: [0],
    [PacketType.SUBSCRIBE]: [2],
    [PacketType.UNSUBSCRIBE]: [2],
    [PacketType.PINGREQ]: [0],
    [PacketType.DISCONNECT]: [0],
    [PacketType.AUTH]: [0],
  }
  const serverOnly: readonly number[] = [
    PacketType.CONNACK,
    PacketType.SUBACK,
    PacketType.UNSUBACK,
    PacketType.PINGRESP,
  ]
  for (let firstByte = 0; firstByte < 256; firstByte++) {
    const type = firstByte >> 4
    const expected = serverOnly.includes(type)
      ? 'PROTOCOL_ERROR'
      : flags[type]?.includes(firstByte & 15)
        ? undefined
        : 'MALFORMED_PACKET'
    t.equal(
      refusalOf(() => checkFirstByte(firstByte, 5)),
      expected,
      `0x${firstByte.toString(16)} in MQTT 5`,
    )
  }
})

t.test('TLS on a port without TLS is recognized', async (t) => {
  t.throws(() => checkFirstByte(0x16, 5), { message: /packet type 1: TLS begins like this/ })
  t.throws(() => checkFirstByte(0x17, 5), { message: /packet type 1$/ })
})

t.test('first bytes that depend on the version', async (t) => {
  const refused = (firstByte: number, version: ProtocolVersion) => refusalOf(() => checkFirstByte(firstByte, version))
  t.equal(refused(0xf0, 4), 'MALFORMED_PACKET', 'AUTH is reserved before MQTT 5')
  t.equal(refused(0xf0, 3), 'MALFORMED_PACKET')
  for (const firstByte of [0x6a, 0x8a, 0xaa]) {
    t.equal(refused(firstByte, 3), undefined, 'MQTT 3.1 repeats PUBREL, SUBSCRIBE and UNSUBSCRIBE with DUP')
    t.equal(refused(firstByte, 4), 'MALFORMED_PACKET')
  }
})
