import fc from 'fast-check'
import t from 'tap'
import { filterMatches, filterProblem } from '../../mqtt/topic-filter.js'
import { filterCovers } from './token-grants.js'

const level = fc.constantFrom('a', 'b', '', '$s')
const name = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ['#'] : [])].join('/'))
  .filter((text) => filterProblem(text) === undefined)

t.test('a grant covers a topic that it matches, and no other', async () => {
  fc.assert(fc.property(filter, name, (grant, topic) => filterCovers(grant, topic) === filterMatches(grant, topic)))
})

t.test('a grant that covers a filter matches all that the filter does', async () => {
  fc.assert(
    fc.property(filter, filter, name, (grant, asked, topic) => {
      fc.pre(filterCovers(grant, asked))
      return !filterMatches(asked, topic) || filterMatches(grant, topic)
    }),
    { numRuns: 2_000 },
  )
})

t.test('what is covered', async (t) => {
  for (const [grant, asked] of [
    ['#', 'a/#'],
    ['a/#', 'a/#'],
    ['a/#', 'a/+/b'],
    ['a/#', 'a'],
    ['+/#', 'a/#'],
    ['a/+', 'a/+'],
    ['a/+/#', 'a/+'],
    ['+/b', '+/b'],
  ]) {
    t.ok(filterCovers(grant, asked), `${grant} ${asked}`)
  }
  for (const [grant, asked] of [
    ['a/+', 'a/#'],
    ['a/b', 'a/+'],
    ['a/+/#', 'a/#'],
    ['#', '$SYS/#'],
    ['a', 'a/b'],
    ['a/b', 'a'],
    ['a/#/b', 'a/x/b'],
    ['', 'a'],
  ]) {
    t.notOk(filterCovers(grant, asked), `${grant} ${asked}`)
  }
})
