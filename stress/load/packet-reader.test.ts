import fc from 'fast-check'
import t from 'tap'
import { PacketReader } from './packet-reader.js'

interface Seen {
  readonly firstByte: number
  readonly body: string
}

function reading(): { reader: PacketReader; seen: Seen[] } {
  const seen: Seen[] = []
  const reader = new PacketReader({
    onPacket: (firstByte, bytes, start, end) =>
      seen.push({ firstByte, body: Buffer.from(bytes.subarray(start, end)).toString('hex') }),
  })
  return { reader, seen }
}

function packetBytes(firstByte: number, body: Uint8Array): Buffer {
  const length: number[] = []
  let rest = body.length
  do {
    length.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return Buffer.concat([Buffer.from([firstByte, ...length]), body])
}

const packet = fc.tuple(
  fc.integer({ min: 0, max: 255 }),
  fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.uint8Array({ minLength: 120, maxLength: 140 }),
    fc.integer({ min: 16_380, max: 16_390 }).map((size) => new Uint8Array(size).fill(size)),
  ),
)

t.test('packets survive any split of the byte stream', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 6 }), cuts, (packets, sizes) => {
      const { reader, seen } = reading()
      const bytes = Buffer.concat(packets.map(([firstByte, body]) => packetBytes(firstByte, body)))
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const chunk = bytes.subarray(at, at + (cut < sizes.length ? sizes[cut] : bytes.length))
        reader.read(chunk, chunk.length)
        at += chunk.length
      }
      const expected = packets.map(([firstByte, body]) => ({ firstByte, body: Buffer.from(body).toString('hex') }))
      return JSON.stringify(seen) === JSON.stringify(expected)
    }),
  )
})

t.test('packets survive byte by byte', async (t) => {
  const { reader, seen } = reading()
  for (const byte of [0xd0, 0x00, 0x40, 0x02, 0x00, 0x01, 0xd0, 0x00]) reader.read(Uint8Array.of(byte), 1)
  t.same(seen, [
    { firstByte: 0xd0, body: '' },
    { firstByte: 0x40, body: '0001' },
    { firstByte: 0xd0, body: '' },
  ])
})

t.test('only the first `length` bytes of the chunk count', async (t) => {
  const { reader, seen } = reading()
  reader.read(Uint8Array.of(0xd0, 0x00, 0xd0, 0x00), 2)
  t.equal(seen.length, 1)
})

t.test('reset forgets the start of a packet', async (t) => {
  const { reader, seen } = reading()
  reader.read(Uint8Array.of(0x40, 0x02, 0x00), 3)
  reader.reset()
  reader.read(Uint8Array.of(0xd0, 0x00), 2)
  t.same(seen, [{ firstByte: 0xd0, body: '' }])
})

t.test('a length of five bytes is an error', async (t) => {
  const { reader } = reading()
  t.throws(() => reader.read(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01), 6), /malformed/)
})
