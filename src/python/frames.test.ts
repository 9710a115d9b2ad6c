import t from 'tap'
import { FrameReader, frameOf, textOf } from './frames.js'

t.test('frames survive any cut of the stream', async (t) => {
  const texts = ['', 'a', 'ü€😀', 'x'.repeat(200_000)]
  const stream = Buffer.concat(texts.map((text, place) => frameOf(place, 0xffff_fff0 + place, text)))
  for (const size of [1, 7, 65_536, stream.length]) {
    const reader = new FrameReader()
    const read: [number, number, string][] = []
    for (let at = 0; at < stream.length; at += size) {
      reader.push(stream.subarray(at, at + size), (frame) => read.push([frame.kind, frame.id, textOf(frame)]))
    }
    t.same(
      read,
      texts.map((text, place) => [place, 0xffff_fff0 + place, text]),
      `${size} bytes at a time`,
    )
  }
})

t.test('what is no frame is refused', async (t) => {
  const take = (): void => {}
  t.throws(() => new FrameReader().push(new Uint8Array(16), take), { message: 'a frame of 0 bytes' })
  t.throws(() => new FrameReader().push(new Uint8Array(16).fill(255), take), { message: /a frame of 4294967295/ })
})
