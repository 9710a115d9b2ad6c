import t from 'tap'
import { fuzzOwnBroker } from './own-fuzz.js'

/** Fixed, so that a failure of the suite repeats; `main.js` takes another seed each time. */
const SEED = 20_190_307

for (const [transport, iterations] of [
  ['mqtt', 900],
  ['ws', 400],
] as const) {
  void t.test(`a broker goes on serving under attack over ${transport}`, { timeout: 100_000 }, async (t) => {
    const report = await fuzzOwnBroker({ transport, seed: SEED, first: 0, iterations, concurrency: 8 })
    t.equal(report.outcomes.closed, iterations)
    t.comment(JSON.stringify({ seed: SEED, ...report }))
  })
}
