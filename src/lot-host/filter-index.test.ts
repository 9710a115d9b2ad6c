import fc from 'fast-check'
import t from 'tap'
import { filterMatches } from '../mqtt/topic-filter.js'
import { FilterIndex } from './filter-index.js'

const level = fc.constantFrom('a', 'b', '', '$x')
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'))

t.test('finds what the plain reference finds, whatever was added and removed', async () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 12 }), fc.array(fc.nat(11)), fc.array(topic), (filters, gone, topics) => {
      const index = new FilterIndex<number>()
      for (const [number, one] of filters.entries()) index.add(one, number)
      for (const number of gone) if (filters[number] !== undefined) index.delete(filters[number], number)
      for (const name of topics) {
        const expected = filters.flatMap((one, number) =>
          filterMatches(one, name) && !gone.includes(number) ? [number] : [],
        )
        t.same(index.match(name).sort(byNumber), expected)
      }
    }),
  )
})

function byNumber(a: number, b: number): number {
  return a - b
}
