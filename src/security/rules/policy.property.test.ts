/** Any rules against the order of evaluation written down as plainly as it can be. */
import fc from 'fast-check'
import t from 'tap'
import type { AccessQuestion, RuleScope, UserProfile } from '../../contracts/security.js'
import { filterMatches } from '../../mqtt/topic-filter.js'
import type { RuleWorld } from './policy.js'
import { identity, policyOf, question, worldOf } from './rules.fixture.js'

type Holds = (asked: AccessQuestion, world: RuleWorld) => boolean

interface Test {
  readonly text: string
  readonly holds: Holds
}

function testOf(text: string, holds: Holds): Test {
  return { text, holds }
}

interface PlainRule {
  readonly name: string
  readonly priority: number
  readonly scope: RuleScope
  readonly topic: string
  readonly test: Test | undefined
  readonly verdict: 'ALLOW' | 'DENY'
  readonly otherwise: 'ALLOW' | 'DENY' | undefined
}

const USERS: readonly UserProfile[] = [
  { name: 'ann', groups: ['g'], properties: {} },
  { name: 'bob', groups: [], properties: { F: 'True' } },
]

const leaf: fc.Arbitrary<Test> = fc.constantFrom<Test>(
  { text: 'USER IS "ann"', holds: ({ identity }) => identity.userName === 'ann' },
  {
    text: 'USER IS NOT "ann"',
    holds: ({ identity }) => identity.userName !== undefined && identity.userName !== 'ann',
  },
  { text: 'USER IN GROUP "g"', holds: ({ identity }) => identity.userName === 'ann' },
  { text: 'USER HAS F', holds: ({ identity }) => identity.userName === 'bob' },
  { text: 'CLIENTID IS "a"', holds: ({ identity }) => identity.clientId === 'a' },
  { text: 'CLIENTID MATCHES REGEX "^[ab]$"', holds: ({ identity }) => /^[ab]$/.test(identity.clientId) },
  {
    text: 'CLIENTID IS TOPIC POSITION 1',
    holds: ({ identity, topic }) => identity.clientId === topic?.split('/')[0] && identity.clientId !== '+',
  },
  { text: 'TOPIC EXISTS "t/" + CLIENTID', holds: ({ identity }, world) => world.hasRetained(`t/${identity.clientId}`) },
  { text: 'GET TOPIC "mode" IS "on"', holds: (_, world) => world.value('mode') === 'on' },
)

const test: fc.Arbitrary<Test> = fc.letrec<{ test: Test }>((tie) => ({
  test: fc.oneof(
    { maxDepth: 3 },
    leaf,
    tie('test').map(({ text, holds }) => testOf(`NOT (${text})`, (asked, world) => !holds(asked, world))),
    fc
      .tuple(tie('test'), tie('test'))
      .map(([one, other]) =>
        testOf(
          `(${one.text} AND ${other.text})`,
          (asked, world) => one.holds(asked, world) && other.holds(asked, world),
        ),
      ),
    fc
      .tuple(tie('test'), tie('test'))
      .map(([one, other]) =>
        testOf(
          `(${one.text} OR ${other.text})`,
          (asked, world) => one.holds(asked, world) || other.holds(asked, world),
        ),
      ),
  ),
})).test

const verdict = fc.constantFrom('ALLOW' as const, 'ALLOW' as const, 'DENY' as const)
const plainRules: fc.Arbitrary<readonly PlainRule[]> = fc
  .array(
    fc.record({
      priority: fc.constantFrom(100, 101, 102),
      scope: fc.constantFrom<RuleScope>('Publish', 'Publish', 'Publish', 'Subscribe'),
      topic: fc.constantFrom('#', '#', '+/#', 'a', 'a/#', '+', '+/b', 'a/+', 'a/b', '+/+/c', '/#'),
      test: fc.option(test, { nil: undefined, freq: 2 }),
      verdict,
      otherwise: fc.option(verdict, { nil: undefined }),
    }),
    { maxLength: 6 },
  )
  .map((rules) => rules.map((rule, index) => ({ ...rule, name: `R${index}` })))

const who = fc
  .tuple(fc.constantFrom('ann', 'bob', 'eve', undefined), fc.constantFrom('a', 'b', '+'))
  .map(([userName, clientId]) => identity(userName, clientId))
const topic = fc.constantFrom(
  'a',
  'b',
  'a/b',
  'b/b',
  'a/x',
  'a/b/c',
  '/b',
  '/',
  '+',
  '#',
  'a/+',
  'a/#',
  '+/b',
  '$x/b',
  '$x',
)
const world = fc
  .tuple(fc.boolean(), fc.boolean(), fc.boolean())
  .map(([first, second, third]) =>
    worldOf({ ...(first && { 't/a': '' }), ...(second && { 't/+': '' }), ...(third && { mode: 'on' }) }),
  )

function textOf({ name, priority, scope, topic, test, verdict, otherwise }: PlainRule): string {
  const header = `DEFINE RULE ${name} WITH PRIORITY ${priority} FOR ${scope} TO TOPIC "${topic}"`
  if (test === undefined) return `${header}\n    ${verdict}`
  const rest = otherwise === undefined ? '' : `\n    ELSE\n        ${otherwise}`
  return `${header}\n    IF ${test.text} THEN\n        ${verdict}${rest}`
}

function isAllowed(rules: readonly PlainRule[], asked: AccessQuestion, world: RuleWorld): boolean {
  for (const priority of [100, 101, 102]) {
    const outcomes = rules
      .filter((rule) => rule.priority === priority && rule.scope === asked.scope)
      .filter((rule) => filterMatches(rule.topic, asked.topic ?? ''))
      .map(({ test, verdict, otherwise }) => (test === undefined || test.holds(asked, world) ? verdict : otherwise))
    if (outcomes.includes('DENY')) return false
    if (outcomes.includes('ALLOW')) return true
  }
  return false
}

t.test('rules decide as they are described', async () => {
  fc.assert(
    fc.property(plainRules, who, topic, world, fc.constantFrom<RuleScope>('Publish', 'Subscribe'), (...args) => {
      const [rules, client, name, retained, scope] = args
      const asked = question(scope, name, client)
      const policy = policyOf(rules.map(textOf), USERS)
      const { decision, considered } = policy.explain(asked, retained)
      if (decision.allowed !== isAllowed(rules, asked, retained)) return false
      // the explanation says the same as the decision
      const wanted = decision.allowed ? 'allow' : 'deny'
      if (decision.rule === undefined) return considered.every(({ outcome }) => /abstain|other/.test(outcome))
      return considered.some(({ rule, outcome }) => rule === decision.rule && outcome === wanted)
    }),
    { numRuns: 500 },
  )
})

t.test('an answer depends on what it says that it depends on, and on nothing else', async () => {
  fc.assert(
    fc.property(plainRules, who, topic, world, world, (rules, client, name, before, after) => {
      const policy = policyOf(rules.map(textOf), USERS)
      const asked = question('Publish', name, client)
      const { allowed, reads } = policy.decide(asked, before)
      fc.pre(reads.every((read) => before.value(read) === after.value(read)))
      return policy.decide(asked, after).allowed === allowed
    }),
    { numRuns: 400 },
  )
})

t.test('where all is said to be open, every ordinary topic is allowed', async (t) => {
  let open = 0
  fc.assert(
    fc.property(plainRules, who, (rules, client) => {
      const policy = policyOf(rules.map(textOf), USERS)
      if (!policy.isOpen(client, 'Publish')) return true
      open++
      const worlds = [worldOf(), worldOf({ 't/a': '', mode: 'on' }), worldOf({ 't/+': '', 't/b': '' })]
      const topics = ['a', 'b', 'a/b', 'b/b', 'a/b/c', '/b', '/', 'x/y/z/w', '+', '#', 'a/#']
      return worlds.every((some) =>
        topics.every((name) => policy.decide(question('Publish', name, client), some).allowed),
      )
    }),
    { numRuns: 500 },
  )
  t.ok(open > 20, 'and it is said often enough')
})

t.test('an answer changes only where a change of the rules says so', async () => {
  fc.assert(
    fc.property(plainRules, plainRules, who, topic, world, (before, after, client, name, retained) => {
      const policy = policyOf(before.map(textOf), USERS)
      const asked = question('Publish', name, client)
      const { allowed } = policy.decide(asked, retained)
      const rules = after.map(textOf)
      const changed = policy.change({ rules, users: [], removedUsers: [], isWhole: false })
      if (policy.decide(asked, retained).allowed === allowed) return true
      return changed.rules.some(({ scope, topic }) => scope === 'Publish' && filterMatches(topic ?? '#', name))
    }),
    { numRuns: 400 },
  )
})
