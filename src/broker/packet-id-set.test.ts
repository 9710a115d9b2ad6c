import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PacketIdSet } from './packet-id-set.js'

t.test('first and last identifiers, and neighbours in one word', async (t) => {
  const set = new PacketIdSet()
  for (const packetId of [1, 31, 33, 63, 65, 65_535]) {
    t.notOk(set.has(packetId))
    t.equal(set.add(packetId), true)
    t.equal(set.add(packetId), false, 'again')
    t.ok(set.has(packetId))
    t.notOk(set.has(packetId - 1 || 2), 'its neighbour is not meant')
  }
  t.equal(set.size, 6)
  t.equal(set.delete(63), true)
  t.equal(set.delete(63), false)
  t.equal(set.size, 5)
  set.clear()
  t.equal(set.size, 0)
  t.notOk(set.has(1))
})

t.test('behaves as a Set of numbers', async () => {
  const packetId = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 65_535 }))
  const step = fc.record({ kind: fc.constantFrom('add', 'delete', 'clear', 'add', 'delete', 'add'), packetId })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const set = new PacketIdSet()
      const model = new Set<number>()
      for (const { kind, packetId } of steps) {
        if (kind === 'clear') {
          set.clear()
          model.clear()
        } else if (kind === 'add') {
          assert.equal(set.add(packetId), !model.has(packetId))
          model.add(packetId)
        } else assert.equal(set.delete(packetId), model.delete(packetId))
        assert.equal(set.size, model.size)
        assert.equal(set.has(packetId), model.has(packetId))
      }
      for (const packetId of model) assert.ok(set.has(packetId))
    }),
  )
})
