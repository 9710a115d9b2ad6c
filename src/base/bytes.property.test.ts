import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { copyBytes, copyWords, decodeText, encodeText, hashBytes, sameBytes } from './bytes.js'

/** Short, and longer than every limit at which a copy changes its way. */
const lengths = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(511, 512, 513, 2_047, 2_048, 2_049, 5_000))
const offsets = fc.integer({ min: 8, max: 40 })

function numbered(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, place) => (place * 31 + 7) & 0xff)
}

t.test('copyWords copies all, and spares what is further than three bytes away', async () => {
  fc.assert(
    fc.property(offsets, offsets, lengths, (from, sameAs, length) => {
      const to = (sameAs & ~3) | (from & 3)
      const source = numbered(64 + Math.ceil(length / 4) * 4)
      const target = new Uint8Array(source.length).fill(0xee)
      copyWords(new Int32Array(source.buffer), source, from, new Int32Array(target.buffer), target, to, length)
      assert.deepEqual(target.subarray(to, to + length), source.subarray(from, from + length))
      assert.ok(target.subarray(0, to - 3).every((byte) => byte === 0xee))
      assert.ok(target.subarray(to + length + 3).every((byte) => byte === 0xee))
    }),
  )
})

t.test('copyBytes copies between any two offsets and touches nothing else', async () => {
  fc.assert(
    fc.property(offsets, offsets, lengths, (from, to, length) => {
      const source = numbered(from + length + 8)
      const target = new Uint8Array(to + length + 8).fill(0xee)
      const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer)
      const end = copyBytes(source, view(source), from, target, view(target), to, length)
      assert.equal(end, to + length)
      assert.deepEqual(target.subarray(to, end), source.subarray(from, from + length))
      assert.ok(target.subarray(0, to).every((byte) => byte === 0xee))
      assert.ok(target.subarray(end).every((byte) => byte === 0xee))
    }),
  )
})

t.test('text goes through bytes and back, from shared memory too', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeText(`\ufeff${text}`)
      const shared = new Uint8Array(new SharedArrayBuffer(encoded.length + 3))
      shared.set(encoded, 3)
      assert.equal(decodeText(shared, 3, encoded.length), `\ufeff${text}`)
    }),
  )
})

t.test('hashes', async (t) => {
  // test vectors of FNV-1a, 32 bits
  const known: [text: string, hash: number][] = [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ]
  for (const [text, hash] of known) {
    const bytes = encodeText(`--${text}--`)
    t.equal(hashBytes(bytes, 2, text.length) >>> 0, hash, JSON.stringify(text))
  }
})

t.test('sameBytes looks at its part only', async (t) => {
  const [a, b] = [encodeText('xhallx'), encodeText('yyhally')]
  t.ok(sameBytes(a, 1, b, 2, 4))
  t.notOk(sameBytes(a, 0, b, 1, 4))
  t.notOk(sameBytes(a, 1, b, 2, 5))
  t.ok(sameBytes(a, 0, b, 0, 0))
})
