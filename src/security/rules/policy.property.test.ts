/** Any rules against the order of evaluation written down as plainly as it can be. */
import fc from 'fast-check'
import t from 'tap'
import type { RuleScope, RuleWorld } from '../../contracts/security.js'
import { filterMatches } from '../../mqtt/topic-filter.js'
import { decided, plainRules, textOf, USERS, who } from './plain-rules.fixture.js'
import { policyOf, question, worldOf } from './rules.fixture.js'

const NO_CLAIMS = { publish: undefined, subscribe: undefined, expiresAtMs: undefined }
const RULES = plainRules({ size: { maxLength: 6 } })
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

t.test('rules decide as they are described', async () => {
  fc.assert(
    fc.property(RULES, who, topic, world, fc.constantFrom<RuleScope>('Publish', 'Subscribe'), (...args) => {
      const [rules, client, name, retained, scope] = args
      const asked = question(scope, name, client)
      const policy = policyOf(rules.map(textOf), USERS)
      const { decision, considered } = policy.explain(asked, retained)
      const { allowed, rule } = decided(rules, asked, retained)
      if (decision.allowed !== allowed || decision.rule !== rule) return false
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
    fc.property(RULES, who, topic, world, world, (rules, client, name, before, after) => {
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
    fc.property(RULES, who, (rules, client) => {
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
    fc.property(RULES, RULES, who, topic, world, (before, after, client, name, retained) => {
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

/** The same for these topics, and for no other. */
function otherwiseThan(values: RuleWorld, topics: readonly string[]): RuleWorld {
  return {
    hasRetained: (topic) => values.hasRetained(topic) === topics.includes(topic),
    value: (topic) => {
      if (topics.includes(topic)) return values.value(topic)
      return values.value(topic) === 'on' ? undefined : 'on'
    },
  }
}

t.test('what is remembered of a client changes no decision, nor what it depends on', async (t) => {
  const topics = ['#', '#', '#', '#', '+/#', 'a/#', '+/b']
  const many = plainRules({ size: { minLength: 9, maxLength: 70 }, topics, areQuiet: true })
  const asking = fc.record({
    client: fc.nat(3),
    name: topic,
    scope: fc.constantFrom<RuleScope>('Publish', 'Publish', 'Subscribe'),
  })
  const groups = fc.constantFrom<readonly string[]>([], ['g'], ['other'])
  const step = fc.record({
    asking,
    values: fc.option(world, { nil: undefined, freq: 4 }),
    groups: fc.option(groups, { nil: undefined, freq: 4 }),
  })
  const steps = fc.array(step, { minLength: 20, maxLength: 60 })
  let reading = 0
  fc.assert(
    fc.property(many, fc.tuple(who, who, who, who), steps, (rules, clients, steps) => {
      const policy = policyOf(rules.map(textOf), USERS)
      let version = 0
      let values = worldOf()
      let groupsOfEve: readonly string[] = []
      for (const { asking, ...change } of steps) {
        if (change.values !== undefined) {
          values = change.values
          version++
        }
        if (change.groups !== undefined) {
          groupsOfEve = change.groups
          const users = [{ name: 'eve', groups: groupsOfEve, properties: {} }]
          policy.change({ users, removedUsers: [], isWhole: false })
        }
        const client = clients[asking.client]
        const { allowed, rule, reads } = policy.decide(question(asking.scope, asking.name, client), {
          ...values,
          version,
        })
        if (reads.length > 0) reading++
        const claims = client.userName === 'eve' ? { ...NO_CLAIMS, groups: groupsOfEve } : undefined
        const asked = question(asking.scope, asking.name, { ...client, claims })
        values.asked.length = 0
        const plain = decided(rules, asked, values)
        if (allowed !== plain.allowed || rule !== plain.rule) return false
        if (!reads.every((topic) => values.asked.includes(topic))) return false
        // and it would be the same if all that was not read were different
        const others = decided(rules, asked, otherwiseThan(values, reads))
        if (allowed !== others.allowed || rule !== others.rule) return false
      }
      return true
    }),
    { numRuns: 150 },
  )
  t.ok(reading > 100, 'also where it depends on topics')
})
