import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { mapKey } from '../base/map-key.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import { NameTree } from './name-tree.js'
import { deepTopic, topicFilter, topicName } from './topics.fixture.js'

function treeOf(...names: readonly string[]): NameTree<string> {
  const tree = new NameTree<string>()
  for (const name of names) tree.set(name, name)
  return tree
}

t.test('what a filter matches', async (t) => {
  const tree = treeOf('a', 'a/b', 'a/b/c', 'a//c', '/a', '/', '$SYS/a', '$SYS', 'b')
  const cases: [filter: string, names: string[]][] = [
    ['#', ['a', 'a/b', 'a/b/c', 'a//c', '/a', '/', 'b']],
    ['+', ['a', 'b']],
    ['a/#', ['a', 'a/b', 'a/b/c', 'a//c']],
    ['a/+/c', ['a/b/c', 'a//c']],
    ['+/+', ['a/b', '/a', '/']],
    ['+/#', ['a', 'a/b', 'a/b/c', 'a//c', '/a', '/', 'b']],
    ['/+', ['/a', '/']],
    ['$SYS/#', ['$SYS/a', '$SYS']],
    ['$SYS/+', ['$SYS/a']],
    ['a/b', ['a/b']],
    ['a/x', []],
    ['a/b/c/#', ['a/b/c']],
    ['a/b/c/d/#', []],
  ]
  for (const [filter, names] of cases) t.same([...tree.matching(filter)].sort(), names.sort(), filter)
})

t.test('set replaces, delete prunes', async (t) => {
  const tree = treeOf('a', 'a/b/c')
  tree.set('a', 'new')
  t.equal(tree.get('a'), 'new')
  t.equal(tree.get('a/b'), undefined)
  t.equal(tree.size, 2)
  tree.delete('a/b')
  tree.delete('x')
  t.equal(tree.size, 2)
  tree.delete('a')
  t.equal(tree.get('a/b/c'), 'a/b/c', 'what is below stays')
  tree.delete('a/b/c')
  t.equal(tree.size, 0)
  t.same([...tree.matching('#')], [])
})

t.test('thousands of levels: no recursion, and linear time', async (t) => {
  const deep = deepTopic(10_000)
  const tree = treeOf(deep, 'a')
  const started = performance.now()
  for (let turn = 0; turn < 20; turn++) {
    t.same([...tree.matching('#')].length, 2)
    t.same([...tree.matching(deep)], [deep])
    t.same([...tree.matching(deep.replaceAll('a', '+'))], [deep])
  }
  tree.delete(deep)
  t.same([...tree.matching('#')], ['a'])
  const elapsedMs = performance.now() - started
  t.ok(elapsedMs < 5_000, `${elapsedMs} ms; quadratic time would be minutes`)
})

t.test('the tree agrees with filterMatches, whatever was set and deleted', async () => {
  const step = fc.record({ name: topicName, remove: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.array(topicFilter, { minLength: 1, maxLength: 10 }),
      (steps, filters) => {
        const tree = new NameTree<string>()
        const model = new Set<string>()
        for (const { name, remove } of steps) {
          if (remove) {
            tree.delete(name)
            model.delete(name)
          } else {
            tree.set(name, name)
            model.add(name)
          }
        }
        assert.equal(tree.size, model.size)
        for (const filter of filters) {
          const expected = [...model].filter((name) => filterMatches(filter, name)).sort()
          assert.deepEqual([...tree.matching(filter)].sort(), expected, filter)
        }
      },
    ),
    { numRuns: 500 },
  )
})

t.test('getOrAdd makes a value where there is none', async (t) => {
  const tree = treeOf('a/b')
  const make = (name: string): string => `made for ${name}`
  t.equal(tree.getOrAdd('a/b', make), 'a/b')
  t.equal(tree.getOrAdd('a', make), 'made for a')
  t.equal(tree.getOrAdd('a/c', make), 'made for a/c')
  t.equal(tree.getOrAdd('a/c', make), 'made for a/c')
  t.equal(tree.size, 3)
  t.same([...tree.matching('a/+')].sort(), ['a/b', 'made for a/c'])
})

class OpenTree extends NameTree<string> {
  get isEmpty(): boolean {
    return this.root.isLeaf
  }
}

t.test('long levels are told apart, and do not meet in one bucket', async (t) => {
  const long = ['x', 'y', 'z'].map((first) => first + '-'.repeat(16_383))
  for (const prefix of ['', 'a/']) {
    const tree = new OpenTree()
    for (const level of long) tree.set(prefix + level, prefix + level)
    for (const level of long) t.equal(tree.get(prefix + level), prefix + level)
    t.equal(tree.get(`${prefix}v${'-'.repeat(16_383)}`), undefined)
    t.equal([...tree.matching(`${prefix}+`)].length, 3)
    t.equal([...tree.matching(prefix + long[1])].length, 1)
    // no topic that a client can name
    t.equal(tree.get(prefix + mapKey(long[1])), prefix + long[1], 'found by its key')
    for (const level of long) tree.delete(prefix + level)
    t.equal(tree.size, 0)
    t.ok(tree.isEmpty, 'nothing of them is kept')
  }
})
