import fc from 'fast-check'
import t from 'tap'
import { isUtf8 } from './utf8.js'

const accepts = (...bytes: number[]): boolean => isUtf8(Uint8Array.from(bytes), 0, bytes.length)

const CASES: readonly (readonly [what: string, bytes: readonly number[], valid: boolean])[] = [
  ['nothing', [], true],
  ['ASCII', [0x41, 0x7f, 0x01], true],
  ['U+0000 [MQTT-1.5.4-2]', [0x41, 0x00], false],
  ['U+0000 in two bytes', [0xc0, 0x80], false],
  ['U+0080', [0xc2, 0x80], true],
  ['overlong of two bytes', [0xc1, 0xbf], false],
  ['U+0800', [0xe0, 0xa0, 0x80], true],
  ['overlong of three bytes', [0xe0, 0x9f, 0xbf], false],
  ['U+D7FF', [0xed, 0x9f, 0xbf], true],
  ['surrogate U+D800 [MQTT-1.5.4-1]', [0xed, 0xa0, 0x80], false],
  ['surrogate U+DFFF [MQTT-1.5.4-1]', [0xed, 0xbf, 0xbf], false],
  ['U+E000', [0xee, 0x80, 0x80], true],
  ['U+FEFF [MQTT-1.5.4-3]', [0xef, 0xbb, 0xbf], true],
  ['U+FFFF, a non-character', [0xef, 0xbf, 0xbf], true],
  ['U+10000', [0xf0, 0x90, 0x80, 0x80], true],
  ['overlong of four bytes', [0xf0, 0x8f, 0xbf, 0xbf], false],
  ['U+10FFFF', [0xf4, 0x8f, 0xbf, 0xbf], true],
  ['U+110000', [0xf4, 0x90, 0x80, 0x80], false],
  ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80], false],
  ['a continuation alone', [0x80], false],
  ['a lead alone', [0xc3], false],
  ['a lead before ASCII', [0xc3, 0x41], false],
  ['three bytes cut off', [0xe2, 0x82], false],
  ['a wrong third byte', [0xe2, 0x82, 0x41], false],
  ['four bytes cut off', [0xf0, 0x9f, 0x92], false],
  ['a wrong fourth byte', [0xf0, 0x9f, 0x92, 0xc0], false],
]

t.test('UTF-8 Encoded Strings', async (t) => {
  for (const [what, bytes, valid] of CASES) t.equal(accepts(...bytes), valid, what)
})

t.test('looks at no byte outside its bounds', async (t) => {
  t.ok(isUtf8(Uint8Array.of(0x00, 0x41, 0x80), 1, 2))
  t.notOk(isUtf8(Uint8Array.of(0xc3, 0xa9), 0, 1), 'a sequence that goes on after the end')
})

t.test('agrees with the decoder of the platform', async () => {
  const strict = new TextDecoder('utf-8', { fatal: true })
  const platformAccepts = (bytes: Uint8Array): boolean => {
    try {
      return !strict.decode(bytes).includes('\0')
    } catch {
      return false
    }
  }
  const lead = fc.constantFrom(0x41, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0x9f, 0xa0, 0x8f, 0x90)
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.array(lead, { maxLength: 6 }).map((b) => Uint8Array.from(b)),
  )
  fc.assert(
    fc.property(bytes, (bytes) => isUtf8(bytes, 0, bytes.length) === platformAccepts(bytes)),
    { numRuns: 5_000 },
  )
})
