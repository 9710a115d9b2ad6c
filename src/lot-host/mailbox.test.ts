import t from 'tap'
import { EventKind } from '../contracts/lot-batch.js'
import { Instance } from './instance.js'
import { Mailbox, type Piece } from './mailbox.js'

const FACTS = { kind: EventKind.MESSAGE, depth: 0, input: 0, topicHash: 0, number: 0 }

function piece(text: string): Piece {
  const bytes = Buffer.from(text)
  return { bytes, at: 0, length: bytes.length }
}

t.test('batches are closed when they have many events, and leave in order', async (t) => {
  const total = { bytes: 0 }
  const mailbox = new Mailbox(total)
  for (let n = 0; n < 2_500; n++) mailbox.append(FACTS, undefined, piece('topic'), piece(String(n)))
  t.equal(mailbox.waiting, 2_500)
  t.same(
    [mailbox.take(), mailbox.take(), mailbox.take(), mailbox.take()].map((batch) => batch?.events),
    [1_000, 1_000, 500, undefined],
  )
})

t.test('what is not finished comes first again, and the total is right at every moment', async (t) => {
  const total = { bytes: 0 }
  const mailbox = new Mailbox(total)
  const payload = piece('x'.repeat(100_000))
  for (let n = 0; n < 5; n++) mailbox.append(FACTS, undefined, piece('topic'), payload)
  const whole = total.bytes
  t.ok(whole > 500_000)
  const first = mailbox.take()
  if (first === undefined) throw new Error('nothing')
  t.equal(first.events, 3, 'many bytes close a batch too')
  t.equal(mailbox.finish(first, first.ints[0]), 1)
  mailbox.putBack(first)
  t.equal(total.bytes, (whole / 5) * 4)
  t.equal(mailbox.take(), first)
  t.equal(mailbox.finish(first, first.used), 2)
  t.equal(mailbox.clear(), 2)
  t.same([total.bytes, mailbox.waiting, mailbox.isEmpty], [0, 0, true])
})

t.test('a batch names each instance once', async (t) => {
  const mailbox = new Mailbox({ bytes: 0 })
  const [a, b] = [new Instance(1, ['a']), new Instance(2, ['b'])]
  for (const instance of [a, b, a, b, b]) mailbox.append(FACTS, instance, piece('topic'), piece(''))
  t.same(mailbox.take()?.instances, [a, b])
  mailbox.append(FACTS, b, piece('topic'), piece(''))
  t.same(mailbox.take()?.instances, [b])
})
