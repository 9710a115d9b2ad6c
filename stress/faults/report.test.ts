import t from 'tap'
import { Ledger } from './ledger.js'
import { parseFaultOptions } from './options.js'
import { makeReport } from './report.js'
import { reportText } from './report-text.js'
import { VIOLATIONS, type ViolationKind } from './violations.js'

/** A run with one message that arrived, unless told otherwise. */
function evidence({ deliveries = 1, retainedChecks = 1 } = {}) {
  const ledger = new Ledger()
  const stream = ledger.addStream('publisher', 'a/b', 1)
  const receiver = ledger.addReceiver({ name: 'subscriber', qos: 1, isDurable: true, isShared: false })
  for (let nth = 0; nth < deliveries; nth++) {
    stream.sent(stream.take())
    stream.complete(nth)
    receiver.deliver(stream, nth, false)
  }
  const starts = [
    { listeningMs: 10, connackMs: 30 },
    { listeningMs: 10, connackMs: undefined },
    { listeningMs: 5, connackMs: 20 },
  ]
  const struck = [{ kind: 'process', delayMs: 100, seed: 1, lastedMs: 101 }] as const
  const options = parseFaultOptions(['--kills', '2', '--seed', '9'])
  const skipped = [{ kind: 'full', reason: 'no room' }] as const
  const trial = { ledger, retainedChecks, loadMs: 2_000, stage: { starts, notes: ['by the way'] } }
  return { ledger, make: () => makeReport({ options, skipped, struck, trial }) }
}

t.test('a good run', async (t) => {
  const report = evidence({ deliveries: 10 }).make()
  t.match(report, {
    failures: [],
    seed: 9,
    struck: { process: 1 },
    restarts: 2,
    acknowledgedPerSecond: 5,
    connackMsMax: 30,
  })
  const text = reportText(report)
  for (const line of [
    /^faults +1 of 2: 1 process$/m,
    /^skipped +full: no room$/m,
    /^lost +0$/m,
    /^note +by the way$/m,
    /^verdict +ok$/m,
  ]) {
    t.match(text, line)
  }
})

t.test('every violation fails the run and is named', async (t) => {
  for (const kind of Object.keys(VIOLATIONS) as ViolationKind[]) {
    const { ledger, make } = evidence()
    for (let nth = 0; nth < 5; nth++) ledger.violations.add(kind, `number ${nth}`)
    const report = make()
    t.same(report.failures, [`5 ${VIOLATIONS[kind]}`])
    const text = reportText(report)
    t.match(text, /number 2/)
    t.notMatch(text, /number 3/, 'the text shows some')
    t.equal(report.examples.length, 5, 'the data shows more')
    t.match(text, /verdict +FAILED: 5 /)
  }
})

t.test('a run in which nothing happened is no success', async (t) => {
  t.same(evidence({ deliveries: 0 }).make().failures, ['nothing was acknowledged', 'nothing was delivered'])
  t.same(evidence({ retainedChecks: 0 }).make().failures, ['retained values were never checked'])
})
