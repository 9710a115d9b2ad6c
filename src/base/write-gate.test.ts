import t from 'tap'
import { WriteGate } from './write-gate.js'

t.test('lets one in at a time, until it is shut', async (t) => {
  const inside = new WriteGate()
  const outside = new WriteGate(inside.shared)
  t.equal(inside.enter(), true)
  t.equal(outside.isEntered, true)
  t.equal(outside.shut(5), false, 'not while the other is inside')
  inside.leave()
  t.equal(inside.enter(), true, 'what was not shut in time stays open')
  inside.leave()
  t.equal(outside.isEntered, false)
  t.equal(outside.shut(5), true)
  t.equal(outside.shut(5), true)
  t.equal(outside.isEntered, false)
  t.equal(inside.enter(), false)
  inside.leave()
  t.equal(inside.enter(), false)
})
