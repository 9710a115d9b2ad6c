import fc from 'fast-check'
import t from 'tap'
import { editDistance, nearestSpelling } from './spelling.js'

t.test('counts insertions, deletions, replacements and swaps of neighbours', async (t) => {
  for (const [from, to, edits] of [
    ['', '', 0],
    ['port', 'port', 0],
    ['port', 'prot', 1],
    ['port', 'ports', 1],
    ['port', 'pot', 1],
    ['port', 'part', 1],
    ['recieveMaximum', 'receiveMaximum', 1],
    ['kitten', 'sitting', 3],
  ] as const) {
    t.equal(editDistance(from, to, 10), edits, `${from} → ${to}`)
  }
})

t.test('is symmetric, never above the limit, and zero only for equal words', async (t) => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 9 }), (one, other, limit) => {
      const edits = editDistance(one, other, limit)
      return edits === editDistance(other, one, limit) && edits <= limit && (edits === 0) === (one === other)
    }),
  )
  t.pass()
})

t.test('finds the name that was meant', async (t) => {
  const known = ['receiveMaximum', 'inflightMax', 'queueQos0', 'port', 'path']
  t.equal(nearestSpelling('recieveMaximum', known), 'receiveMaximum')
  t.equal(nearestSpelling('receive_maximum', known), 'receiveMaximum')
  t.equal(nearestSpelling('RECEIVE-MAXIMUM', known), 'receiveMaximum')
  t.equal(nearestSpelling('prot', known), 'port')
  t.equal(nearestSpelling('pat', known), 'path')
  t.equal(nearestSpelling('colour', known), undefined, 'nothing is near')
  t.equal(nearestSpelling('x', known), undefined)
  t.equal(nearestSpelling('x'.repeat(100_000), known), undefined, 'long input costs nothing')
})
