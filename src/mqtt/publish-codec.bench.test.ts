import t from 'tap'
import { run } from './publish-codec.bench.js'

t.test('the benchmark runs', async (t) => {
  for (const { name, readsPerSecond, headsPerSecond } of run(1_000))
    t.ok(readsPerSecond > 0 && headsPerSecond > 0, name)
})
