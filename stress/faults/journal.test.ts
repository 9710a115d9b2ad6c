import t from 'tap'
import { Journal } from './journal.js'
import { Ledger } from './ledger.js'

t.test('tells the way of one message, and what befell its clients meanwhile', async (t) => {
  let nowMs = 0
  const journal = new Journal(() => nowMs++)
  journal.note('subscriber', 'long before')
  journal.message('publisher', 'published', 3, 7, 1)
  journal.message('publisher', 'published', 4, 7, 2)
  journal.message('publisher', 'published', 3, 50, 3)
  journal.note('subscriber', 'is connected')
  journal.note('stranger', 'is connected')
  journal.note('run', 'fault 1 strikes: process')
  journal.message('subscriber', 'received', 3, 8, 9)
  journal.message('stranger', 'received', 3, 7, 9)
  journal.note('subscriber', 'PUBREL received', 9)
  journal.note('subscriber', 'PUBREL received', 10)
  t.same(journal.about({ clients: new Set(['subscriber', 'publisher']), stream: 3, sequence: 7 }), [
    '0.001 publisher: published 3#7 id 1',
    '0.004 subscriber: is connected',
    '0.006 run: fault 1 strikes: process',
    '0.007 subscriber: received 3#8 id 9',
    '0.009 subscriber: PUBREL received id 9',
  ])
})

t.test('forgets what is long past, and shortens what is long', async (t) => {
  const journal = new Journal(() => 0)
  journal.message('publisher', 'published', 1, 1, 1)
  for (let nth = 0; nth < 400_000; nth++) journal.note('publisher', `note ${nth}`)
  const lines = journal.about({ clients: new Set(['publisher']), stream: 1, sequence: 1 })
  t.equal(lines.length, 61)
  t.equal(lines[0], '0.000 publisher: note 0')
  t.match(lines[30], /^… \d+ more$/)
  t.equal(lines[60], '0.000 publisher: note 399999')
})

t.test('a violation is told with what led to it', async (t) => {
  const ledger = new Ledger()
  const stream = ledger.addStream('publisher', 'a/b', 2)
  const receiver = ledger.addReceiver({ name: 'group', qos: 2, isDurable: true, isShared: true })
  receiver.clients.add('member')
  stream.sent(stream.take())
  ledger.violations.journal.message('member', 'received', stream.id, 0, 5)
  receiver.deliver(stream, 0, false)
  receiver.deliver(stream, 0, false)
  t.match(
    ledger.violations.examples[0].text,
    /^group: a\/b #0 .* arrived again\n {4}\d+\.\d+ member: received 0#0 id 5$/,
  )
})
