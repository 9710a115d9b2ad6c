/** Rules that are damaged in transit, or written to do harm: refused whole, or a rule like any other. */
import t from 'tap'
import { BrokerError } from '../../src/base/errors.js'
import type { AccessQuestion } from '../../src/contracts/security.js'
import { identity, policyOf, question, worldOf } from '../../src/security/rules/rules.fixture.js'
import { seededRandom } from '../load/random.js'
import { SecuredBroker } from './secured-broker.fixture.js'
import { mutated } from './text-mutations.fixture.js'

const POLICY_ROUNDS = 1_500
const COMMAND_ROUNDS = 100
/** Commands between two looks at what is allowed. */
const LOOK_ROUNDS = 25

/** Denies before all that a user can add: no other priority is lower, and among equals DENY wins. */
const SECRET = 'DEFINE RULE Secret WITH PRIORITY 100 FOR Publish TO TOPIC "secret/#"\n    DENY'
const OPEN = 'DEFINE RULE Open WITH PRIORITY 1000000 FOR Publish TO TOPIC "#"\n    ALLOW'

const SAMPLES = [
  'DEFINE RULE A WITH PRIORITY 100 FOR Publish TO TOPIC "secret/#"\n    ALLOW',
  'DEFINE RULE B WITH PRIORITY 100 FOR Publish TO TOPIC "secret/+"\n    IF USER IS "ann" THEN\n        ALLOW\n    ELSE\n        DENY',
  'DEFINE RULE C WITH PRIORITY 200 FOR Publish TO TOPIC "#"\n    IF CLIENTID MATCHES REGEX "^a+$" AND NOT TOPIC EXISTS "x/" + CLIENTID THEN\n        ALLOW',
  'DEFINE RULE D WITH PRIORITY 150 FOR Subscribe TO TOPIC "a/+/#"\n    IF (USER IN GROUP "g" OR USER HAS F) AND GET TOPIC "m" IS "on" THEN\n        DENY\n    ELSE\n        ALLOW',
  SECRET,
]
const SEED = 5
/** Milliseconds for one; those that backtrack take longer than the universe is old. */
const REGEX_MS_MAX = 2_000

function askedOf(topics: readonly string[]): readonly AccessQuestion[] {
  const who = [identity('ann', 'aaaa'), identity('bob'), identity(undefined)]
  return who.flatMap((one) => topics.map((topic) => question('Publish', topic, one)))
}

t.test('a policy takes a mutated rule or refuses it; what is denied before all else stays denied', async (t) => {
  const random = seededRandom(SEED)
  const world = worldOf({ m: 'on' })
  const base = [SECRET, OPEN]
  const policy = policyOf(base)
  const asked = askedOf(['secret', 'secret/a', 'open/a', '$other/a'])
  const before = asked.map((one) => policy.decide(one, world))
  let [taken, refused] = [0, 0]
  for (let round = 0; round < POLICY_ROUNDS; round++) {
    const text = mutated(SAMPLES[round % SAMPLES.length]!, random)
    try {
      policy.change({ rules: [...base, text], users: [], removedUsers: [], isWhole: false })
      taken++
      // a number that was mutated may put it before the others: those of the broker itself are checked by -addRule
      const isBefore = !/PRIORITY\s+[1-9]\d{2,}/i.test(text)
      asked.forEach((one, place) => {
        const now = policy.decide(one, world)
        if (now.allowed && one.topic?.startsWith('secret') && !isBefore) t.fail(`allows ${one.topic}: ${text}`)
        if (now.allowed && !before[place]!.allowed && !/ALLOW/i.test(text)) t.fail(`allows without ALLOW: ${text}`)
      })
      policy.change({ rules: base, users: [], removedUsers: [], isWhole: false })
    } catch (error) {
      refused++
      if (!(error instanceof BrokerError && error.code === 'RULE_UNREADABLE')) t.fail(`${String(error)}: ${text}`)
      asked.forEach((one, place) => {
        if (policy.decide(one, world).allowed !== before[place]!.allowed) t.fail(`changed by a refused rule: ${text}`)
      })
    }
  }
  t.ok(taken > POLICY_ROUNDS / 100 && refused > POLICY_ROUNDS / 4, `${taken} taken, ${refused} refused`)
})

t.test('-addRule answers every mutation, and none opens what is denied before all else', async (t) => {
  const broker = await SecuredBroker.start(t, ['ann'])
  await broker.command(`-addRule ${SECRET}`)
  const ann = await broker.as('ann')
  const random = seededRandom(SEED + 1)
  for (let round = 1; round <= COMMAND_ROUNDS; round++) {
    const text = mutated(`-addRule ${SAMPLES[round % SAMPLES.length]!}`, random)
    if (/^\s*-{0,2}(remove|restore)/i.test(text)) continue
    const reply = await broker.running.command(text)
    if (reply !== undefined && typeof reply.success !== 'boolean') t.fail(`no answer to ${text}`)
    if (round % LOOK_ROUNDS > 0) continue
    t.equal(await ann.publish('secret/a', 'x', { qos: 1 }), 0x87, `after ${round} commands`)
  }
  t.match(await broker.running.command('-listRules'), { success: true })
  broker.clients.close()
})

t.test('expressions that take other engines for ever are decided in time that grows with the name', async (t) => {
  const evil = ['^(a+)+$', '(a|a)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)*x', '(a?){30}a{30}b']
  const name = `${'a'.repeat(1_000)}!`
  for (const expression of evil) {
    const policy = policyOf([
      `DEFINE RULE R WITH PRIORITY 100 FOR Connect\n    IF CLIENTID MATCHES REGEX "${expression}" THEN\n        DENY`,
    ])
    const start = performance.now()
    t.equal(policy.decide(question('Connect', undefined, identity('ann', name)), worldOf()).allowed, false)
    t.ok(performance.now() - start < REGEX_MS_MAX, expression)
  }
})
