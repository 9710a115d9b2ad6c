import t from 'tap'
import { measure } from './host.bench.js'

t.test('the benchmark runs', async (t) => {
  for (const { name, perSecond } of await measure(2_000)) t.ok(perSecond > 0, name)
})
