import t from 'tap'
import { measure } from './logins.bench.js'

t.test('the benchmark runs', async (t) => {
  for (const { name, perSecond } of await measure(2, 2)) t.ok(perSecond > 0, name)
})
