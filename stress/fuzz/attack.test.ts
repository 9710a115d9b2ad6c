import t from 'tap'
import { seededRandom } from '../load/random.js'
import { decode } from '../support/broker-packets.js'
import { attackOf } from './attack.js'
import { parseCorpus, readCorpus } from './corpus.js'
import { MUTATIONS } from './mutations.js'
import { insertProperty } from './property-mutation.js'

const corpus = readCorpus()
const PACKETS = Object.values(corpus.valid).flat()

void t.test('the corpus holds whole packets under unique names', async (t) => {
  for (const packets of Object.values(corpus.valid)) {
    t.equal(new Set(packets.map(({ name }) => name)).size, packets.length)
    t.ok(packets.some(({ name }) => name.startsWith('connect')))
    for (const { name, packet } of packets) {
      t.ok(packet[1]! < 0x80 ? packet.length === 2 + packet[1]! : packet.length > 129, name)
    }
  }
})

void t.test('a line of a corpus that is neither packet nor comment is refused', async (t) => {
  t.same(parseCorpus('# a comment\n\nping: c0 00\n', 'f'), [{ name: 'ping', packet: Buffer.from([0xc0, 0x00]) }])
  t.throws(() => parseCorpus('# a comment\nping: c0 0', 'f.txt'), /f\.txt:2/)
})

void t.test('seed and number decide what is sent', async (t) => {
  for (let number = 0; number < 50; number++) {
    t.same(attackOf(7, number, corpus), attackOf(7, number, corpus))
    t.notSame(attackOf(7, number, corpus), attackOf(8, number, corpus))
    t.notSame(attackOf(7, number, corpus), attackOf(7, number + 1, corpus))
  }
})

for (const [name, mutation] of Object.entries(MUTATIONS)) {
  void t.test(`the mutation ${name} takes any packet and changes most`, async (t) => {
    const random = seededRandom(1)
    const others = PACKETS.map(({ packet }) => packet)
    let changed = 0
    for (const { packet } of PACKETS) {
      const original = Buffer.from(packet)
      if (!original.equals(mutation(packet, random, others))) changed += 1
      t.ok(original.equals(packet), 'the packet it is given stays as it was')
      for (const odd of [Buffer.of(0x30), Buffer.of(0x30, 0xff), Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)]) {
        t.doesNotThrow(() => mutation(odd, random, others))
      }
    }
    t.ok(changed > PACKETS.length / 3, `${changed} of ${PACKETS.length} changed`)
  })
}

void t.test('an inserted property leaves the rest of the packet readable', async (t) => {
  const random = seededRandom(3)
  const { packet } = corpus.valid[5].find(({ name }) => name === 'publish-properties')!
  let readable = 0
  for (let round = 0; round < 200; round++) {
    const changed = insertProperty(packet, random)
    const start = changed[1]! < 0x80 ? 2 : 3
    try {
      const decoded = decode(changed[0]!, changed.subarray(start), changed.length, 5)
      if (decoded.kind === 'publish' && decoded.text === '{}') readable += 1
    } catch {
      // a property that PUBLISH must not have, or has already
    }
  }
  t.ok(readable > 5 && readable < 200, `${readable} of 200`)
})
