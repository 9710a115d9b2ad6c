import fc from 'fast-check'
import t from 'tap'
import * as arbitrary from './packets.arbitraries.js'
import { filterMatches, filterProblem, isSharedFilter, parseSharedFilter } from './topic-filter.js'
import { refusalOf } from './wire.fixture.js'

const VALID = ['a', '/', '+', '#', 'a/#', '/#', '+/+', '/+', '+/', 'a/+/b', 'a/+/#', '$SYS/#', '$share', '$shared/a']
const VALID_SHARED = ['$share/g/a', '$share/g//', '$share/g/#', '$share/g/+/a', '$share/$g/$SYS/x']
const INVALID = ['', 'a#', 'a/#/b', '#/', '##', 'a+', '+a', 'a/b+/c', 'a/+b', '++', 'a\0', '\ud800', 'é'.repeat(40_000)]
const INVALID_SHARED = ['$share/', '$share//', '$share//a', '$share/g', '$share/g/', '$share/+/a', '$share/g#/a']

t.test('topic filters', async (t) => {
  for (const filter of [...VALID, ...VALID_SHARED]) t.equal(filterProblem(filter), undefined, filter)
  for (const filter of [...INVALID, ...INVALID_SHARED, '$share/g/a#', '$share/g/#/a', '$share/g/+a']) {
    t.type(filterProblem(filter), 'string', JSON.stringify(filter.slice(0, 20)))
  }
})

t.test('problems are told in words', async (t) => {
  t.equal(filterProblem(''), 'it is empty')
  t.match(filterProblem('a\0'), /UTF-8/)
  t.match(filterProblem('a/#/b'), /^#/)
  t.match(filterProblem('a+'), /^\+/)
  t.match(filterProblem('$share/g'), /share name/)
})

t.test('shared subscriptions', async (t) => {
  t.same(parseSharedFilter('$share/g/a/#'), { group: 'g', filter: 'a/#' })
  t.same(parseSharedFilter('$share/g//'), { group: 'g', filter: '/' })
  for (const filter of VALID) {
    t.equal(parseSharedFilter(filter), undefined, filter)
    t.notOk(isSharedFilter(filter))
  }
  for (const filter of INVALID_SHARED) {
    t.ok(isSharedFilter(filter))
    t.equal(
      refusalOf(() => parseSharedFilter(filter)),
      'TOPIC_FILTER_INVALID',
      `${filter}: MQTT-4.8.2-1, -2`,
    )
  }
})

const MATCHES: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/#', 'sport', true],
  ['sport/#', 'sports', false],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '/', true],
  ['#', 'a/b/c', true],
  ['a', 'a', true],
  ['a', 'A', false],
  ['a', 'a/', false],
  ['a/', 'a', false],
  ['a/', 'a/', true],
  ['a/', 'a/b', false],
  ['/', '/', true],
  ['//', '/', false],
  ['a//b', 'a//b', true],
  ['a/+/b', 'a//b', true],
  ['+/#', 'a', true],
  ['a/b/#', 'a', false],
  ['ab', 'a', false],
  ['a', 'ab', false],
  ['a/b', 'a/bc', false],
]

t.test('matching', async (t) => {
  for (const [filter, topic, matches] of MATCHES) t.equal(filterMatches(filter, topic), matches, `${filter} ~ ${topic}`)
})

t.test('MQTT-4.7.2-1: wildcards at the beginning do not reach $ topics', async (t) => {
  t.notOk(filterMatches('#', '$SYS/x'))
  t.notOk(filterMatches('+/x', '$SYS/x'))
  t.notOk(filterMatches('+', '$'))
  t.ok(filterMatches('$SYS/#', '$SYS/x'))
  t.ok(filterMatches('$SYS/+', '$SYS/x'))
  t.ok(filterMatches('a/+', 'a/$x'), '$ is special at the beginning only')
})

t.test('matches as the specification defines it, level by level', async () => {
  fc.assert(
    fc.property(arbitrary.topicFilter, arbitrary.topicName, (filter, topic) => {
      return filterMatches(filter, topic) === matchesByLevel(filter, topic)
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(arbitrary.topicName, fc.array(fc.boolean()), fc.boolean(), (topic, wild, all) => {
      const levels = topic.split('/').map((level, index) => (wild[index] && index > 0 ? '+' : level))
      return filterMatches([...levels, ...(all ? ['#'] : [])].join('/'), topic)
    }),
  )
})

function matchesByLevel(filter: string, topic: string): boolean {
  const [levels, names] = [filter.split('/'), topic.split('/')]
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  const isOpen = levels.at(-1) === '#'
  if (isOpen) levels.pop()
  if (isOpen ? names.length < levels.length : names.length !== levels.length) return false
  return levels.every((level, index) => level === '+' || level === names[index])
}

t.test('valid filters have no problem', async () => {
  fc.assert(
    fc.property(
      arbitrary.topicFilter.filter((filter) => !isSharedFilter(filter)),
      (filter) => {
        return filterProblem(filter) === undefined
      },
    ),
  )
})

t.test('32,768 levels cost linear time', async (t) => {
  const levels = '/'.repeat(65_535)
  const wild = '+/'.repeat(32_767) + '#'
  const started = process.cpuUsage().user
  t.equal(filterProblem(levels), undefined)
  t.equal(filterProblem(wild), undefined)
  t.ok(filterMatches(levels, levels))
  t.ok(filterMatches(wild, levels))
  t.notOk(filterMatches(wild.slice(0, -2), levels))
  t.ok(process.cpuUsage().user - started < 1_000_000, 'within a second, where quadratic time takes many')
})
