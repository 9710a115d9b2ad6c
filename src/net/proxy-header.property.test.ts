import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { binaryHeader, field, tlsField } from './proxy-header.fixture.js'
import { readProxyHeader } from './proxy-header.js'

const byte = fc.nat(255)
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array))
const fields = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom(2, 3, 5, 0x77), bytes(40)).map(([type, value]) => field(type, value)),
    fc
      .tuple(byte, fc.nat(2), fc.array(fc.tuple(fc.constantFrom(0x21, 0x22, 0x23, 0x99), bytes(20)), { maxLength: 4 }))
      .map(([bits, verified, parts]) => tlsField(bits, verified, ...parts.map(([type, value]) => field(type, value)))),
    bytes(5),
  ),
  { maxLength: 5 },
)
const binary = fc
  .tuple(fc.constantFrom(0x20, 0x21, 0x22), fc.constantFrom(0, 0x11, 0x21, 0x31, 0x12), bytes(40), fields)
  .map(([command, family, addresses, parts]) => binaryHeader(command, family, addresses, ...parts))
const line = fc
  .tuple(
    fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN', 'X'),
    fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 30 })),
    fc.oneof(fc.ipV4(), fc.ipV6()),
    fc.nat(70_000),
    fc.nat(70_000),
    fc.constantFrom('\r\n', '\n', ''),
  )
  .map(([family, from, to, port, other, end]) => Buffer.from(`PROXY ${family} ${from} ${to} ${port} ${other}${end}`))
const stream = fc
  .tuple(fc.oneof(binary, line, bytes(200)), bytes(200), fc.option(fc.tuple(fc.nat(300), byte)))
  .map(([header, rest, damage]) => {
    const all = Buffer.concat([header, rest])
    if (damage !== null && all.length > 0) all[damage[0] % all.length] = damage[1]
    return all
  })

t.test('any bytes are a header, the beginning of one, or refused; and how they are split changes nothing', async () => {
  fc.assert(
    fc.property(stream, fc.integer({ min: 1, max: 30 }), (all, step) => {
      const whole = readProxyHeader(all)
      for (let length = 0; length < all.length; length += step) {
        const part = readProxyHeader(all.subarray(0, length))
        if (part.kind === 'incomplete') continue
        return isDeepStrictEqual(part, whole) && (part.kind === 'refused' || part.bytes <= length)
      }
      return whole.kind !== 'incomplete' || all.length < 4_096
    }),
    { numRuns: 1_000 },
  )
})

t.test('what follows a header does not change it', async () => {
  fc.assert(
    fc.property(fc.oneof(binary, line), bytes(100), (header, rest) => {
      const alone = readProxyHeader(header)
      return alone.kind !== 'complete' || isDeepStrictEqual(readProxyHeader(Buffer.concat([header, rest])), alone)
    }),
  )
})
