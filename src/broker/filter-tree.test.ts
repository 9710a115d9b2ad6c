import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { filterMatches } from '../mqtt/topic-filter.js'
import { deepTopic, topicFilter, topicName } from '../mqtt/topics.fixture.js'
import { FilterTree } from './filter-tree.js'

function treeOf(...filters: readonly string[]): FilterTree<string> {
  const tree = new FilterTree<string>()
  for (const filter of filters) tree.getOrAdd(filter, (text) => text)
  return tree
}

function matchesOf(tree: FilterTree<string>, topic: string): string[] {
  const found: string[] = []
  tree.match(topic, found)
  return found.sort()
}

t.test('what matches a topic', async (t) => {
  const all = [
    '#',
    '+',
    '+/+',
    '/+',
    '/#',
    'a',
    'a/#',
    'a/+',
    'a/b',
    'a/b/#',
    '+/b',
    '$SYS/#',
    '$SYS/+',
    'a//b',
    'a/+/b',
  ]
  const tree = treeOf(...all)
  const cases: [topic: string, filters: string[]][] = [
    ['a', ['#', '+', 'a', 'a/#']],
    ['a/b', ['#', '+/+', '+/b', 'a/#', 'a/+', 'a/b', 'a/b/#']],
    ['/b', ['#', '+/+', '+/b', '/#', '/+']],
    ['/', ['#', '+/+', '/#', '/+']],
    ['a//b', ['#', 'a/#', 'a//b', 'a/+/b']],
    ['$SYS', ['$SYS/#']],
    ['$SYS/b', ['$SYS/#', '$SYS/+']],
    ['A', ['#', '+']],
  ]
  for (const [topic, filters] of cases) t.same(matchesOf(tree, topic), filters.sort(), topic)
})

t.test('what is there stays, get is exact', async (t) => {
  const tree = new FilterTree<number>()
  t.equal(
    tree.getOrAdd('a/+', () => 2),
    2,
  )
  t.equal(
    tree.getOrAdd('a/+', () => 1),
    2,
  )
  tree.getOrAdd('a/b/c', () => 3)
  t.equal(tree.size, 2)
  t.equal(tree.get('a/+'), 2)
  t.equal(tree.get('a/b'), undefined, 'a node on the way has no value')
  t.equal(tree.get('a/x'), undefined)
  t.same(tree.values().sort(), [2, 3])
})

t.test('delete prunes and leaves the rest', async (t) => {
  const tree = treeOf('a', 'a/b', 'a/b/c/d', 'x/#')
  tree.delete('a/b/c')
  tree.delete('q')
  tree.delete('a/b/c/d/e')
  t.equal(tree.size, 4, 'nothing of that was there')
  tree.delete('a/b/c/d')
  t.same(matchesOf(tree, 'a/b/c/d'), [])
  t.same(matchesOf(tree, 'a/b'), ['a/b'])
  tree.delete('a')
  t.same(matchesOf(tree, 'a/b'), ['a/b'], 'a node with children stays')
  for (const filter of ['a/b', 'x/#']) tree.delete(filter)
  t.equal(tree.size, 0)
  t.same(tree.values(), [])
})

t.test('thousands of levels: no recursion, and linear time', async (t) => {
  const levels = 10_000
  const deep = deepTopic(levels)
  const tree = treeOf(deep, 'a/#', `${deep}/#`, deep.replaceAll('a', '+'))
  const started = performance.now()
  for (let turn = 0; turn < 20; turn++) t.equal(matchesOf(tree, deep).length, 4)
  tree.delete(deep)
  tree.delete(`${deep}/#`)
  t.same(matchesOf(tree, deep).length, 2)
  const elapsedMs = performance.now() - started
  t.ok(elapsedMs < 5_000, `${elapsedMs} ms; quadratic time would be minutes`)
})

t.test('the tree agrees with filterMatches, whatever was set and deleted', async () => {
  const step = fc.record({ filter: topicFilter, remove: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.array(topicName, { minLength: 1, maxLength: 10 }),
      (steps, topics) => {
        const tree = new FilterTree<string>()
        const model = new Set<string>()
        for (const { filter, remove } of steps) {
          if (remove) {
            tree.delete(filter)
            model.delete(filter)
          } else {
            tree.getOrAdd(filter, (text) => text)
            model.add(filter)
          }
        }
        assert.equal(tree.size, model.size)
        assert.deepEqual(tree.values().sort(), [...model].sort())
        for (const filter of model) assert.equal(tree.get(filter), filter)
        for (const topic of topics) {
          const expected = [...model].filter((filter) => filterMatches(filter, topic)).sort()
          assert.deepEqual(matchesOf(tree, topic), expected, topic)
        }
      },
    ),
    { numRuns: 500 },
  )
})
