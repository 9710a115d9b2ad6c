import t from 'tap'
import { run } from './access.bench.js'

t.test('the benchmark runs', async (t) => {
  for (const { name, perSecond } of run(2_000)) t.ok(perSecond > 0, name)
})
