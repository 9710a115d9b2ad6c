/** How fast rules decide. `node dist/src/security/rules/policy.bench.js` prints decisions per second of one thread. */
import { pathToFileURL } from 'node:url'
import type { AccessQuestion, RuleWorld } from '../../contracts/security.js'
import { NameTree } from '../../mqtt/name-tree.js'
import type { Policy } from './policy.js'
import { identity, policyOf, question, rule } from './rules.fixture.js'

const RULES = 200

/** Rules of a plant: lines with groups of their own, machines that publish below their names, and the seed. */
function plant(): string[] {
  const rules = [
    rule('Own', 'PRIORITY 110 FOR Publish TO TOPIC "machine/+/#"', 'IF CLIENTID IS TOPIC POSITION 2 THEN\n    ALLOW'),
    rule(
      'Locked',
      'PRIORITY 120 FOR Publish TO TOPIC "line/+/setpoint"',
      'IF TOPIC EXISTS "locks/" + CLIENTID THEN\n    DENY',
    ),
    rule(
      'Tests',
      'PRIORITY 130 FOR Publish TO TOPIC "test/#"',
      'IF CLIENTID MATCHES REGEX "^test-[0-9]+$" THEN\n    ALLOW',
    ),
    rule('Open', 'PRIORITY 1000000 FOR Publish TO TOPIC "#"', 'ALLOW'),
  ]
  while (rules.length < RULES) {
    const n = rules.length
    const topic = n % 2 === 0 ? `line/l${n}/#` : `line/+/sensor${n}/value`
    const test = `IF USER IN GROUP "g${n % 20}" OR USER HAS Flag${n % 7} THEN\n    ALLOW\nELSE\n    DENY`
    rules.push(rule(`R${n}`, `PRIORITY ${150 + n} FOR Publish TO TOPIC "${topic}"`, test))
  }
  return rules
}

/** Every rule concerns every topic, and all but the last are asked for each and abstain. */
function stack(testOf: (n: number) => string): string[] {
  return Array.from({ length: RULES }, (_, n) => {
    const test = n === RULES - 1 ? 'ALLOW' : `IF ${testOf(n)} THEN\n    DENY`
    return rule(`S${n}`, `PRIORITY ${150 + n} FOR Publish TO TOPIC "#"`, test)
  })
}

const OF_USER = (n: number): string => (n % 2 === 0 ? `USER IS "user${n}"` : `USER IN GROUP "group${n}"`)
const OF_LOCK = (n: number): string => `TOPIC EXISTS "locks/${n}/" + CLIENTID`
const OF_LEVEL = (n: number): string => `CLIENTID IS TOPIC POSITION 4 AND NOT USER IN GROUP "group${n}"`
const KINDS = [OF_USER, OF_LOCK, OF_LEVEL]

const USERS = Array.from({ length: 100 }, (_, n) => ({
  name: `u${n}`,
  groups: [`g${n % 20}`, 'all'],
  properties: { [`Flag${n % 7}`]: 'true' },
}))

function questions(topicOf: (n: number) => string): AccessQuestion[] {
  return Array.from({ length: 1_000 }, (_, n) =>
    question('Publish', topicOf(n), identity(`u${n % 100}`, `c${n % 100}`)),
  )
}

const MIXED = questions((n) => {
  switch (n % 4) {
    case 0:
      return `line/l${n % RULES}/cell/state`
    case 1:
      return `line/a/sensor${n % RULES}/value`
    case 2:
      return `machine/c${n % 100}/telemetry/${n}`
    default:
      return `plant/area${n % 10}/line${n}/oee`
  }
})

export interface Rate {
  readonly name: string
  readonly perSecond: number
  /** Of decisions that are the first of their clients: it is found out which rules have nothing to say to them. */
  readonly firstPerSecond: number
}

const CASES: readonly (readonly [name: string, rules: () => string[]])[] = [
  ['200 rules of a plant', plant],
  ['200 that concern every topic: USER', () => stack(OF_USER)],
  ['200 that concern every topic: TOPIC EXISTS', () => stack(OF_LOCK)],
  ['200 that concern every topic: TOPIC POSITION', () => stack(OF_LEVEL)],
  ['200 that concern every topic: of each kind', () => stack((n) => KINDS[n % KINDS.length](n))],
]

/** @param decisions for each of the cases */
export function run(decisions: number): Rate[] {
  return CASES.map(([name, rules]) => ({ name, ...rate(policyOf(rules(), USERS), MIXED, decisions) }))
}

/** As many retained messages as there are questions. */
function worldOfLocks(): RuleWorld {
  const retained = new NameTree<string>()
  for (let n = 0; n < MIXED.length; n++) retained.set(`locks/${n % RULES}/somebody${n}`, 'locked')
  return {
    hasRetained: (topic) => retained.get(topic) !== undefined,
    value: (topic) => retained.get(topic),
    version: 0,
  }
}

function rate(policy: Policy, asked: readonly AccessQuestion[], decisions: number): Omit<Rate, 'name'> {
  const world = worldOfLocks()
  return { firstPerSecond: ask(policy, asked, world, asked.length), perSecond: ask(policy, asked, world, decisions) }
}

function ask(policy: Policy, asked: readonly AccessQuestion[], world: RuleWorld, decisions: number): number {
  let allowed = 0
  // time of the processor, since other programs may use the machine too
  const started = process.cpuUsage()
  for (let n = 0; n < decisions; n++) if (policy.decide(asked[n % asked.length], world).allowed) allowed++
  const { user, system } = process.cpuUsage(started)
  if (allowed === 0) throw new Error('nothing was allowed')
  return Math.round((decisions * 1e6) / (user + system))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  run(20_000)
  for (const { name, perSecond, firstPerSecond } of run(500_000)) {
    const first = `first of a client ${(firstPerSecond / 1e3).toFixed(0).padStart(4)} k/s`
    console.log(`${name.padEnd(48)} ${(perSecond / 1e6).toFixed(2).padStart(6)} M/s, ${first}`)
  }
}
