import t from 'tap'
import { PrintRate } from './print-rate.js'

t.test('a script that prints without end is held back, and the others are not', async (t) => {
  const rate = new PrintRate()
  let admitted = 0
  for (let call = 0; call < 1_000; call++) if (rate.admit('Loud', 0) !== undefined) admitted++
  t.equal(admitted, 100)
  t.equal(rate.admit('Quiet', 0), 0)
  t.equal(rate.admit('Loud', 999), undefined)
  t.equal(rate.admit('Loud', 1_000), 901, 'tells how many were dropped')
  t.equal(rate.admit('Loud', 1_000), 0)
})
