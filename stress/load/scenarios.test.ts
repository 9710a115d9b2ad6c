import t from 'tap'
import { filterMatches, streamTopics } from './plan.js'
import { FIGURES, figuresOf, planOf, SCENARIOS, type Scenario } from './scenarios.js'

function scenario(name: string): Scenario {
  const found = SCENARIOS.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(name)
  return found
}

t.test('filters against topics', async (t) => {
  const cases: [string, string, boolean][] = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/c', false],
    ['a', 'a/b', false],
    ['a/b', 'a', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['+/+', 'a/b', true],
    ['+/b/+', 'a/b/c', true],
    ['#', 'a/b/c', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'a', true],
    ['a/#', 'b', false],
    ['a/+', 'a/', true],
  ]
  for (const [filter, topic, expected] of cases) t.equal(filterMatches(filter, topic), expected, `${filter} ${topic}`)
})

t.test('in every scenario the streams of a subscriber are what its filters match', async (t) => {
  for (const scenario of SCENARIOS) {
    const figures = figuresOf(scenario, { publishers: 3, subscribers: 7, connections: 4 })
    const plan = planOf(scenario, figures, 'top', 1)
    const topics = streamTopics(plan)
    for (const { filters, streams, isPartial } of plan.subscribers) {
      const bare = filters.map((filter) => filter.replace('$share/load/', ''))
      const matched = [...topics.keys()].filter((at) => bare.some((filter) => filterMatches(filter, topics[at])))
      const inRange = [...topics.keys()].filter((at) => at >= streams.from && at < streams.to)
      if (isPartial) t.ok(matched.length > 0 && matched.every((at) => inRange.includes(at)), scenario.name)
      else t.same(matched, inRange, `${scenario.name}: ${filters[0]}`)
    }
  }
})

t.test('one-per-second spreads its publishers evenly and follows their number', async (t) => {
  const figures = figuresOf(scenario('one-per-second'), { publishers: 11, subscribers: 3 })
  t.equal(figures.ratePerSecond, 11)
  const plan = planOf(scenario('one-per-second'), figures, 'x', 1)
  t.equal(plan.publishers.length, 11)
  t.same(
    plan.subscribers.map(({ streams }) => streams),
    [
      { from: 0, to: 4 },
      { from: 4, to: 8 },
      { from: 8, to: 11 },
    ],
  )
  t.equal(figuresOf(scenario('one-per-second'), { ratePerSecond: 5 }).ratePerSecond, 5)
})

t.test('what the user chose comes before the scenario, and that before the general defaults', async (t) => {
  const figures = figuresOf(scenario('fan-out'), { subscribers: 3 })
  t.same(figures, { ...FIGURES, publishers: 1, subscribers: 3 })
})

t.test('idle filters match no topic, and the seed repeats the plan', async (t) => {
  const figures = figuresOf(scenario('wildcards'), { publishers: 2, subscribers: 12 })
  const plan = planOf(scenario('wildcards'), figures, 'w', 42)
  const topics = streamTopics(plan)
  for (const { idleFilters = [] } of plan.subscribers) {
    t.ok(idleFilters.length > 10)
    t.same(
      idleFilters.filter((filter) => topics.some((topic) => filterMatches(filter, topic))),
      [],
    )
  }
  t.same(planOf(scenario('wildcards'), figures, 'w', 42), plan)
  t.notSame(planOf(scenario('wildcards'), figures, 'w', 43), plan)
})
