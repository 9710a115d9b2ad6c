import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { readVarint, VARINT_INCOMPLETE, VARINT_MALFORMED, VARINT_MAX, varintBytes, writeVarint } from './varint.js'

const read = (...bytes: number[]): number => readVarint(Uint8Array.from(bytes), 0, bytes.length)

t.test('the bounds of table 1-1', async (t) => {
  t.equal(read(0x00), 0)
  t.equal(read(0x7f), 127)
  t.equal(read(0x80, 0x01), 128)
  t.equal(read(0xff, 0x7f), 16_383)
  t.equal(read(0x80, 0x80, 0x01), 16_384)
  t.equal(read(0xff, 0xff, 0x7f), 2_097_151)
  t.equal(read(0x80, 0x80, 0x80, 0x01), 2_097_152)
  t.equal(read(0xff, 0xff, 0xff, 0x7f), VARINT_MAX)
})

t.test('bytes that a value takes', async (t) => {
  const bounds = [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, VARINT_MAX]
  t.same(bounds.map(varintBytes), [1, 1, 2, 2, 3, 3, 4, 4])
})

t.test('MQTT-1.5.5-1: only the shortest form', async (t) => {
  t.equal(read(0x80, 0x00), VARINT_MALFORMED)
  t.equal(read(0xff, 0x80, 0x00), VARINT_MALFORMED)
  t.equal(read(0xff, 0xff, 0x80, 0x00), VARINT_MALFORMED)
})

t.test('five bytes are malformed as soon as the fourth says that one more follows', async (t) => {
  t.equal(read(0x80, 0x80, 0x80, 0x80), VARINT_MALFORMED)
  t.equal(read(0xff, 0xff, 0xff, 0xff, 0x01), VARINT_MALFORMED)
})

t.test('incomplete', async (t) => {
  t.equal(read(), VARINT_INCOMPLETE)
  t.equal(read(0x80), VARINT_INCOMPLETE)
  t.equal(read(0x80, 0x80, 0x80), VARINT_INCOMPLETE)
  t.equal(readVarint(Uint8Array.of(0x05), 0, 0), VARINT_INCOMPLETE, 'nothing at all')
  t.equal(readVarint(Uint8Array.of(0x80, 0x01), 0, 1), VARINT_INCOMPLETE, 'reads no byte after the end')
})

t.test('what is written is read, at any offset', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 0, max: VARINT_MAX }), fc.nat(20_000)), fc.nat(3), (value, offset) => {
      const bytes = new Uint8Array(8)
      const end = writeVarint(bytes, offset, value)
      assert.equal(end - offset, varintBytes(value))
      assert.equal(readVarint(bytes, offset, end), value)
    }),
  )
})
