/** For property tests: any rules, each as text and as a function, and their evaluation as plainly as it can be written down. */
import fc from 'fast-check'
import type { AccessQuestion, RuleScope, RuleWorld, UserProfile } from '../../contracts/security.js'
import { filterMatches } from '../../mqtt/topic-filter.js'
import { identity } from './rules.fixture.js'

type Holds = (asked: AccessQuestion, world: RuleWorld) => boolean

interface Test {
  readonly text: string
  readonly holds: Holds
}

function testOf(text: string, holds: Holds): Test {
  return { text, holds }
}

export interface PlainRule {
  readonly name: string
  readonly priority: number
  readonly scope: RuleScope
  readonly topic: string
  readonly test: Test | undefined
  readonly verdict: 'ALLOW' | 'DENY'
  readonly otherwise: 'ALLOW' | 'DENY' | undefined
}

export const USERS: readonly UserProfile[] = [
  { name: 'ann', groups: ['g'], properties: {} },
  { name: 'bob', groups: [], properties: { F: 'True' } },
]

function levelOf(topic = '', position: number): string {
  const level = topic.split('/')[position - 1] ?? ''
  return level === '+' || level === '#' ? '' : level
}

const leaf: fc.Arbitrary<Test> = fc.constantFrom<Test>(
  { text: 'USER IS "ann"', holds: ({ identity }) => identity.userName === 'ann' },
  {
    text: 'USER IS NOT "ann"',
    holds: ({ identity }) => identity.userName !== undefined && identity.userName !== 'ann',
  },
  {
    text: 'USER IN GROUP "g"',
    holds: ({ identity }) =>
      identity.userName === 'ann' ||
      (identity.userName !== undefined && identity.claims?.groups.includes('g') === true),
  },
  { text: 'USER HAS F', holds: ({ identity }) => identity.userName === 'bob' },
  { text: 'CLIENTID IS "a"', holds: ({ identity }) => identity.clientId === 'a' },
  {
    text: 'CLIENTID MATCHES REGEX "^[ab]$"',
    holds: ({ identity }) => {
      if (identity.clientId.length > 1_024) throw new Error('too long')
      return /^[ab]$/.test(identity.clientId)
    },
  },
  {
    text: 'CLIENTID IS TOPIC POSITION 1',
    holds: ({ identity, topic }) => identity.clientId === levelOf(topic, 1),
  },
  { text: 'CLIENTID IS NOT TOPIC POSITION 2', holds: ({ identity, topic }) => identity.clientId !== levelOf(topic, 2) },
  {
    text: 'TOPIC EXISTS "t/" + TOPIC POSITION 2',
    holds: ({ topic }, world) => world.hasRetained(`t/${levelOf(topic, 2)}`),
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
const PRIORITIES = [100, 101, 102]
const TOPICS = ['#', '#', '+/#', 'a', 'a/#', '+', '+/b', 'a/+', 'a/b', '+/+/c', '/#']

/** False for most. */
const rareTest = fc
  .tuple(leaf, leaf, leaf)
  .map(([one, other, third]) =>
    testOf(
      `${one.text} AND ${other.text} AND ${third.text}`,
      (asked, world) => one.holds(asked, world) && other.holds(asked, world) && third.holds(asked, world),
    ),
  )

export interface PlainOptions {
  readonly size: fc.ArrayConstraints
  /** Of the rules. */
  readonly topics?: readonly string[]
  /** Most rules have nothing to say to most clients. */
  readonly areQuiet?: boolean
}

export function plainRules({ size, topics = TOPICS, areQuiet = false }: PlainOptions) {
  return (
    fc
      .array(
        fc.record({
          priority: fc.constantFrom(...PRIORITIES),
          scope: fc.constantFrom<RuleScope>('Publish', 'Publish', 'Publish', 'Subscribe'),
          topic: fc.constantFrom(...topics),
          test: fc.option(areQuiet ? rareTest : test, { nil: undefined, freq: areQuiet ? 20 : 2 }),
          verdict,
          otherwise: fc.option(verdict, { nil: undefined, freq: areQuiet ? 1 : 5 }),
        }),
        size,
      )
      // in the order of names, as rules of the same priority are asked
      .map((rules) => rules.map((rule, index): PlainRule => ({ ...rule, name: `R${100 + index}` })))
  )
}

export const who = fc
  .tuple(fc.constantFrom('ann', 'bob', 'eve', undefined), fc.constantFrom('a', 'b', '+', 'a'.repeat(1_025)))
  .map(([userName, clientId]) => identity(userName, clientId))

export function textOf({ name, priority, scope, topic, test, verdict, otherwise }: PlainRule): string {
  const header = `DEFINE RULE ${name} WITH PRIORITY ${priority} FOR ${scope} TO TOPIC "${topic}"`
  if (test === undefined) return `${header}\n    ${verdict}`
  const rest = otherwise === undefined ? '' : `\n    ELSE\n        ${otherwise}`
  return `${header}\n    IF ${test.text} THEN\n        ${verdict}${rest}`
}

/** Which rule decides, and how. */
export function decided(
  rules: readonly PlainRule[],
  asked: AccessQuestion,
  world: RuleWorld,
): { readonly allowed: boolean; readonly rule: string | undefined } {
  for (const priority of PRIORITIES) {
    let allowing: string | undefined
    for (const rule of rules) {
      if (rule.priority !== priority || rule.scope !== asked.scope || !filterMatches(rule.topic, asked.topic ?? ''))
        continue
      const outcome = outcomeOf(rule, asked, world)
      if (outcome === 'DENY') return { allowed: false, rule: rule.name }
      if (outcome === 'ALLOW') allowing ??= rule.name
    }
    if (allowing !== undefined) return { allowed: true, rule: allowing }
  }
  return { allowed: false, rule: undefined }
}

function outcomeOf({ test, verdict, otherwise }: PlainRule, asked: AccessQuestion, world: RuleWorld) {
  try {
    return test === undefined || test.holds(asked, world) ? verdict : otherwise
  } catch {
    return 'DENY'
  }
}
