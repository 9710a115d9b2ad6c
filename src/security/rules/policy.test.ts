import t from 'tap'
import type { RuleScope } from '../../contracts/security.js'
import { RULE_SCOPES } from '../../lot/check/check-rule.js'
import { NO_WORLD } from './asked.js'
import { identity, policyOf, question, rule, worldOf } from './rules.fixture.js'

const OPEN = rule('Open', 'PRIORITY 1000000 FOR Publish TO TOPIC "#"', 'ALLOW')
const CLOSED = rule('Closed', 'PRIORITY 200 FOR Publish TO TOPIC "line/#"', 'DENY')
const ANN = { name: 'ann', groups: ['leads'], properties: { Night: 'TRUE', Day: 'no', Shift: '3' } }

/** Whether a rule with this condition applies. */
function holds(condition: string, who = identity('ann'), topic = 'line/c1/x', world = NO_WORLD): boolean {
  const only = rule('Only', 'PRIORITY 150 FOR Publish TO TOPIC "#"', `IF ${condition} THEN\n    ALLOW`)
  return policyOf([only], [ANN]).decide(question('Publish', topic, who), world).allowed
}

t.test('nothing is allowed that no rule allows', async (t) => {
  const empty = policyOf([])
  for (const scope of RULE_SCOPES as readonly RuleScope[]) {
    t.match(empty.decide(question(scope, 'a', identity('ann')), NO_WORLD), { allowed: false, rule: undefined }, scope)
  }
  t.equal(empty.decide(question('Publish', 'a'), NO_WORLD).reason, 'no rule allows it')
})

t.test('root passes all rules, and runs no shell', async (t) => {
  const policy = policyOf([rule('Closed', 'PRIORITY 1 FOR Publish TO TOPIC "#"', 'DENY')])
  const ask = (scope: RuleScope) => policy.decide(question(scope, 'a', identity('root')), NO_WORLD)
  for (const scope of RULE_SCOPES as readonly RuleScope[]) t.equal(ask(scope).allowed, scope !== 'ShellCommand', scope)
  t.same(ask('Publish'), { allowed: true, rule: undefined, reason: 'root passes all rules', reads: [] })
  const shell = policyOf([rule('Shell', 'PRIORITY 150 FOR ShellCommand', 'ALLOW')])
  t.equal(shell.decide(question('ShellCommand', undefined), NO_WORLD).allowed, false)
})

t.test('the lowest number decides, and DENY among equals', async (t) => {
  const decide = (...rules: string[]) => policyOf(rules).decide(question('Publish', 'line/1'), NO_WORLD)
  t.match(decide(OPEN, CLOSED), { allowed: false, rule: 'Closed', reason: 'rule Closed' })
  t.match(decide(CLOSED, OPEN), { allowed: false, rule: 'Closed' }, 'in whatever order they come')
  const allow = rule('Allow', 'PRIORITY 150 FOR Publish TO TOPIC "line/+"', 'ALLOW')
  const deny = rule('Deny', 'PRIORITY 150 FOR Publish TO TOPIC "line/1"', 'DENY')
  t.match(decide(allow, CLOSED), { allowed: true, rule: 'Allow' })
  t.match(decide(allow, deny), { allowed: false, rule: 'Deny' })
  t.match(decide(deny, allow), { allowed: false, rule: 'Deny' })
  const other = rule('Other', 'PRIORITY 100 FOR Subscribe TO TOPIC "#"', 'DENY')
  t.match(decide(other, OPEN), { allowed: true, rule: 'Open' }, 'rules of other scopes say nothing')
})

t.test('a rule without ELSE leaves it to the next', async (t) => {
  const notBob = rule('NotBob', 'PRIORITY 150 FOR Publish TO TOPIC "#"', 'IF USER IS "bob" THEN\n    DENY')
  const either = rule(
    'Either',
    'PRIORITY 150 FOR Publish TO TOPIC "#"',
    'IF USER IS "bob" THEN\n    ALLOW\nELSE\n    DENY',
  )
  const allows = (only: string, user: string) =>
    policyOf([only, OPEN]).decide(question('Publish', 'a', identity(user)), NO_WORLD).allowed
  t.same([allows(notBob, 'bob'), allows(notBob, 'ann')], [false, true])
  t.same([allows(either, 'bob'), allows(either, 'ann')], [true, false])
})

t.test('what rules ask of a user', async (t) => {
  t.ok(holds('USER IS "ann"'))
  t.notOk(holds('USER IS "Ann"'))
  t.ok(holds('USER IS NOT "bob"'))
  t.ok(holds('USER HAS Night'))
  t.ok(holds('USER HAS "Night"'))
  t.notOk(holds('USER HAS Day'))
  t.notOk(holds('USER HAS Shift'))
  t.notOk(holds('USER HAS constructor'), 'what every object has is no property of a user')
  t.ok(holds('USER IN GROUP "leads"'))
  t.notOk(holds('USER IN GROUP "lead"'))
  t.notOk(holds('USER HAS Night', identity('bob')), 'a user that is not known has nothing')
})

t.test('every test of the user of an anonymous client is false', async (t) => {
  const nobody = identity(undefined)
  for (const test of ['USER IS ""', 'USER IS NOT "ann"', 'USER HAS Night', 'USER IN GROUP "leads"']) {
    t.notOk(holds(test, nobody), test)
    t.ok(holds(`NOT ${test}`, nobody), `NOT ${test}`)
  }
})

t.test('client and address', async (t) => {
  t.ok(holds('CLIENTID IS "c1"'))
  t.ok(holds('CLIENTID IS NOT "c2"'))
  t.ok(holds('CLIENTID MATCHES "c1"'))
  t.notOk(holds('CLIENTID MATCHES "c."'))
  t.ok(holds('CLIENTID MATCHES REGEX "[0-9]"'), 'not anchored')
  t.notOk(holds('CLIENTID MATCHES REGEX "^[0-9]"'))
  t.ok(holds('CLIENTID IS TOPIC POSITION 2'))
  t.notOk(holds('CLIENTID IS TOPIC POSITION 3'))
  t.notOk(holds('CLIENTID IS TOPIC POSITION 9'))
  t.ok(holds('CLIENTID IS "c" + 1'))
  t.ok(holds('CLIENTID IS USER', identity('c1')))
  t.ok(holds('ENDPOINT IS "192.0.2.7"'), 'without its port')
  t.ok(holds('ENDPOINT MATCHES REGEX "^192\\.0\\.2\\."'))
  t.notOk(holds('CLIENTID IS "5" + "1"', identity('ann', '6')), 'texts are joined, also those that look like numbers')
  t.ok(holds('CLIENTID IS "5" + "1"', identity('ann', '51')))
})

t.test('names of clients and users are never patterns', async (t) => {
  const own = rule(
    'Own',
    'PRIORITY 150 FOR Subscribe TO TOPIC "line/#"',
    'IF CLIENTID IS TOPIC POSITION 2 THEN\n    ALLOW',
  )
  const denied = rule(
    'Denied',
    'PRIORITY 150 FOR Subscribe TO TOPIC "line/#"',
    'IF CLIENTID IS NOT TOPIC POSITION 2 THEN\n    DENY',
  )
  const asAll = rule('All', 'PRIORITY 200 FOR Subscribe TO TOPIC "#"', 'ALLOW')
  for (const [clientId, filter] of [
    ['+', 'line/+/x'],
    ['#', 'line/#'],
  ]) {
    const asked = question('Subscribe', filter, identity('ann', clientId))
    t.equal(policyOf([own]).decide(asked, NO_WORLD).allowed, false, filter)
    t.equal(policyOf([denied, asAll]).decide(asked, NO_WORLD).allowed, false, filter)
  }
  const world = worldOf({ 'grants/c1': 'yes' })
  t.notOk(holds('TOPIC EXISTS "grants/" + CLIENTID', identity('ann', '+'), 'a', world))
  t.same(world.asked, ['grants/+'], 'asked as it is')
  t.ok(holds('CLIENTID IS "+"', identity('ann', '+')))
})

t.test('values of other topics', async (t) => {
  const world = worldOf({ 'locks/c1': '', 'mode/line': 'manual', limit: '5.0' })
  const c1 = identity('ann')
  t.ok(holds('TOPIC EXISTS "locks/" + CLIENTID', c1, 'a', world))
  t.notOk(holds('TOPIC EXISTS "locks/" + USER', c1, 'a', world))
  t.ok(holds('GET TOPIC "mode/" + TOPIC POSITION 1 IS "manual"', c1, 'line/1', world))
  t.notOk(holds('GET TOPIC "mode/line" IS "auto"', c1, 'a', world))
  t.ok(holds('GET TOPIC "mode/line" IS NOT "auto"', c1, 'a', world))
  t.notOk(holds('GET TOPIC "missing" IS "manual"', c1, 'a', world))
  t.ok(holds('GET TOPIC "missing" IS EMPTY', c1, 'a', world))
  t.notOk(holds('GET TOPIC "missing" IS GET TOPIC "gone"', c1, 'a', world), 'nothing is not equal to nothing')
  t.notOk(holds('GET TOPIC "missing" IS USER', identity(undefined), 'a', world))
  t.ok(holds('GET TOPIC "missing" IS NOT USER', identity(undefined), 'a', world))
  t.ok(holds('GET TOPIC "limit" IS 5', c1, 'a', world))
  t.ok(holds('GET TOPIC "mode/line" IS GET TOPIC "mode/line"', c1, 'a', world))
})

t.test('what an answer depends on is told, of rules that said nothing, too', async (t) => {
  const rules = [
    rule('Locked', 'PRIORITY 150 FOR Publish TO TOPIC "line/#"', 'IF TOPIC EXISTS "locks/" + CLIENTID THEN\n    DENY'),
    rule(
      'Mode',
      'PRIORITY 160 FOR Publish TO TOPIC "#"',
      'IF USER IS "ann" AND (GET TOPIC "mode" IS "open" OR GET TOPIC "key" IS GET TOPIC "mode") THEN\n    ALLOW',
    ),
    rule('Late', 'PRIORITY 170 FOR Publish TO TOPIC "#"', 'IF TOPIC EXISTS "late" THEN\n    ALLOW'),
  ]
  const policy = policyOf(rules)
  const reads = (topic: string, user: string, world = worldOf({ mode: 'open' })) =>
    policy.decide(question('Publish', topic, identity(user)), world).reads
  t.same(reads('line/1', 'ann'), ['locks/c1', 'mode'])
  t.same(reads('other', 'ann'), ['mode'])
  t.same(reads('other', 'ann', worldOf({ key: 'x' })), ['mode', 'key', 'late'])
  t.same(reads('other', 'bob'), ['late'])
  t.same(reads('other', 'root'), [])
})

t.test('what a client was found to be denied by is told anew for each topic', async (t) => {
  const locks = Array.from({ length: 20 }, (_, n) =>
    rule(`L${n}`, `PRIORITY ${150 + n} FOR Publish TO TOPIC "#"`, `IF TOPIC EXISTS "locks/${n}" THEN\n    DENY`),
  )
  const mine = rule('Mine', 'PRIORITY 155 FOR Publish TO TOPIC "mine/#"', 'ALLOW')
  const line = rule('Line', 'PRIORITY 1000000 FOR Publish TO TOPIC "line/#"', 'DENY')
  const policy = policyOf([...locks, mine, line, OPEN])
  const ann = identity('ann')
  const ask = (topic: string, version: number, world = worldOf()) =>
    policy.decide(question('Publish', topic, ann), { ...world, version })
  const [other, again, denied, first] = [ask('other', 1), ask('else', 1), ask('line/1', 1), ask('mine/1', 1)]
  t.equal(other.reads.length, 20)
  t.equal(again, other, 'the same answer needs no other object')
  t.match([denied.allowed, denied.rule, denied.reads.length], [false, 'Line', 20])
  t.equal(first.allowed, true)
  t.same(first.reads, ['locks/0', 'locks/1', 'locks/2', 'locks/3', 'locks/4', 'locks/5'])
  const world = worldOf({ 'locks/3': '' })
  t.match(ask('other', 2, world), { allowed: false, rule: 'L3', reads: ['locks/0', 'locks/1', 'locks/2', 'locks/3'] })
  t.equal(world.asked.length, 4)
  ask('else', 2, world)
  t.equal(world.asked.length, 5, 'what says nothing is not looked up again')
  t.equal(ask('other', 3).allowed, true)
})

t.test('a rule that cannot be evaluated denies', async (t) => {
  const long = rule(
    'Long',
    'PRIORITY 150 FOR Publish TO TOPIC "#"',
    'IF CLIENTID MATCHES REGEX "^test-" THEN\n    DENY',
  )
  const policy = policyOf([long, OPEN])
  const who = identity('ann', 'x'.repeat(5_000))
  const decision = policy.decide(question('Publish', 'a', who), NO_WORLD)
  t.match(decision, {
    allowed: false,
    rule: 'Long',
    reason: /^rule Long cannot be evaluated: a text of 5000 characters/,
  })
  t.notOk(policy.isOpen(who, 'Publish'))
  t.match(policy.explain(question('Publish', 'a', who), NO_WORLD).considered, [{ rule: 'Long', outcome: 'deny' }])
})

t.test('topics: of a subscription, wildcards are plain levels', async (t) => {
  const allows = (topic: string, asked: string, scope: RuleScope = 'Subscribe', deeper = false) =>
    policyOf([rule('R', `PRIORITY 150 FOR ${scope} TO TOPIC "${topic}"`, 'ALLOW')], [], deeper).decide(
      question(scope, asked),
      NO_WORLD,
    ).allowed
  t.ok(allows('a/#', 'a/#'))
  t.ok(allows('a/#', 'a/b/+'))
  t.ok(allows('a/#', 'a'))
  t.ok(allows('a/+', 'a/#'), '# fills one level')
  t.notOk(allows('a/+', 'a/b/c'))
  t.notOk(allows('a/b', 'a/+'), 'nothing is allowed beyond what the rule names')
  t.notOk(allows('a/#', '#'))
  t.notOk(allows('a/#', '+/b'))
  t.ok(allows('+/b', 'a/b', 'Publish'))
  t.ok(allows('/+', '/a', 'Publish'))
  t.notOk(allows('+', '/a', 'Publish'))
  t.notOk(allows('#', '$other/a', 'Publish'), '[MQTT-4.7.2-1]')
  t.notOk(allows('+/a', '$other/a', 'Publish'))
  t.ok(allows('$SYS/#', '$SYS/broker/uptime', 'SubscribeSys'))
  t.ok(allows('#', '$SYS/broker/uptime', 'SubscribeSys'), 'all topics of a scope that has no others')
  t.ok(allows('+/broker', '$SYS/broker', 'PublishSys'))
  t.notOk(allows('a/+', 'a/b/c', 'Publish'))
  t.ok(allows('a/+', 'a/b/c', 'Publish', true), 'a switch for texts that expect it')
  t.ok(allows('a/+', 'a/b', 'Publish', true))
  t.notOk(allows('a/+', 'a', 'Publish', true))
})

t.test('a token narrows what rules allow', async (t) => {
  const policy = policyOf([
    OPEN,
    rule('Sub', 'PRIORITY 150 FOR Subscribe TO TOPIC "#"', 'ALLOW'),
    rule('Group', 'PRIORITY 150 FOR PublishSys TO TOPIC "#"', 'IF USER IN GROUP "ops" THEN\n    ALLOW'),
    rule('Connect', 'PRIORITY 150 FOR Connect', 'ALLOW'),
  ])
  const claims = { groups: ['ops'], publish: ['line/+/x'], subscribe: ['line/#', 'a/+'], expiresAtMs: undefined }
  const decide = (scope: RuleScope, topic: string | undefined, user = 'ann') =>
    policy.decide(question(scope, topic, identity(user, 'c', claims)), NO_WORLD)
  t.ok(decide('Publish', 'line/1/x').allowed)
  t.match(decide('Publish', 'line/1/y'), { allowed: false, reason: 'the token does not name this topic' })
  t.ok(decide('Subscribe', 'line/+/y').allowed)
  t.ok(decide('Subscribe', 'a/+').allowed)
  t.notOk(decide('Subscribe', 'a/#').allowed, 'all that is asked for must be named')
  t.notOk(decide('Subscribe', '#').allowed)
  t.notOk(decide('Publish', 'other', 'root').allowed, 'of root, too')
  t.ok(decide('Connect', undefined).allowed)
  const grouped = { groups: ['ops'], publish: undefined, subscribe: undefined, expiresAtMs: undefined }
  t.ok(policy.decide(question('PublishSys', '$SYS/a', identity('jwt', 'c', grouped)), NO_WORLD).allowed, 'its groups')
  t.notOk(policy.decide(question('PublishSys', '$SYS/a', identity(undefined, 'c', grouped)), NO_WORLD).allowed)
})

t.test('a damaged rule is not taken for none', async (t) => {
  const policy = policyOf([OPEN, CLOSED])
  const damaged: readonly (readonly [string, RegExp])[] = [
    ['DEFINE RULE Half WITH PRIORITY 150 FOR Publish TO TOPIC "li', /the rule Half cannot be read: line 1: /],
    ['DEFINE RULE Body WITH PRIORITY 150 FOR Publish TO TOPIC "#"', /the rule Body cannot be read: /],
    [rule('Scope', 'PRIORITY 150 FOR Publishs TO TOPIC "#"', 'DENY'), /the rule Scope .*Unknown scope/],
    [rule('Ahead', 'PRIORITY 150 FOR Connect', 'IF CLIENTID MATCHES REGEX "^(?!a)" THEN\n    DENY'), /rule Ahead/],
    [rule('Chance', 'PRIORITY 150 FOR Connect', 'IF CLIENTID IS RANDOM UUID THEN\n    DENY'), /rule Chance/],
    [`${CLOSED}\n${rule('Two', 'PRIORITY 150 FOR Connect', 'ALLOW')}`, /it is not one rule/],
    ['DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#101010"', /it is not one rule/],
    ['', /the rule without a name cannot be read/],
  ]
  for (const [text, message] of damaged) {
    const change = { rules: [OPEN, text], users: [ANN], removedUsers: [], isWhole: true }
    t.throws(() => policy.change(change), { code: 'RULE_UNREADABLE', message })
  }
  t.equal(policy.decide(question('Publish', 'line/1'), NO_WORLD).rule, 'Closed', 'the last good ones decide')
})

t.test('a change tells what it concerns', async (t) => {
  const policy = policyOf([OPEN, CLOSED], [ANN])
  const none = { users: [], removedUsers: [], isWhole: false }
  t.same(policy.change({ ...none, rules: [CLOSED, OPEN] }), { rules: [], users: new Set() })
  t.same(policy.change(none), { rules: [], users: new Set() }, 'rules that are not given stay')
  t.equal(policy.decide(question('Publish', 'line/1'), NO_WORLD).rule, 'Closed')
  const sys = rule('Sys', 'PRIORITY 150 FOR PublishSys TO TOPIC "+/x"', 'ALLOW')
  const connect = rule('Connect', 'PRIORITY 150 FOR Connect', 'ALLOW')
  t.same(policy.change({ ...none, rules: [OPEN, sys, connect] }).rules, [
    { scope: 'Publish', topic: 'line/#' },
    { scope: 'PublishSys', topic: undefined },
    { scope: 'Connect', topic: undefined },
  ])
  t.equal(policy.decide(question('Publish', 'line/1'), NO_WORLD).rule, 'Open')
  const users = (change: object) => policy.change({ ...none, ...change }).users
  t.same(users({ users: [ANN] }), new Set())
  t.same(users({ users: [{ ...ANN, properties: { Night: 'true' } }] }), new Set(), 'rules see no difference')
  t.same(users({ users: [{ ...ANN, groups: ['leads', 'ops'] }] }), new Set(['ann']))
  t.same(users({ users: [{ ...ANN, groups: [], properties: {} }] }), new Set(['ann']))
  const bob = { name: 'bob', groups: ['ops'], properties: {} }
  t.same(users({ users: [bob], removedUsers: ['ann', 'eve'] }), new Set(['ann', 'bob']))
  t.same(users({ users: [{ ...bob, groups: [] }], isWhole: true }), new Set(['bob']))
  t.same(users({ isWhole: true }), new Set(['bob']))
})

t.test('with the switch, a change concerns what lies deeper, too', async (t) => {
  const policy = policyOf([], [], true)
  const rules = [rule('R', 'PRIORITY 150 FOR Publish TO TOPIC "a/+"', 'ALLOW')]
  const { rules: changed } = policy.change({ rules, users: [], removedUsers: [], isWhole: false })
  t.same(changed, [{ scope: 'Publish', topic: 'a/+/#' }])
})

t.test('rules of all topics without a condition need not be asked', async (t) => {
  const ann = identity('ann')
  const isOpen = (rules: readonly string[], who = ann) => policyOf(rules, [ANN]).isOpen(who, 'Publish')
  t.notOk(isOpen([]))
  t.ok(isOpen([OPEN]))
  t.notOk(isOpen([OPEN, CLOSED]))
  const never = rule('Never', 'PRIORITY 2000000 FOR Publish TO TOPIC "#"', 'DENY')
  t.ok(isOpen([OPEN, never]), 'what comes later is not asked')
  const equal = rule('Equal', 'PRIORITY 1000000 FOR Publish TO TOPIC "a"', 'DENY')
  t.notOk(isOpen([OPEN, equal]))
  const bob = rule('Bob', 'PRIORITY 150 FOR Publish TO TOPIC "a"', 'IF USER IS "bob" THEN\n    DENY')
  t.ok(isOpen([OPEN, bob]))
  t.notOk(isOpen([OPEN, bob], identity('bob')))
  const leads = rule('Leads', 'PRIORITY 150 FOR Publish TO TOPIC "#"', 'IF USER IN GROUP "leads" THEN\n    ALLOW')
  t.ok(isOpen([leads]))
  t.notOk(isOpen([leads], identity('bob')))
  const locked = rule('Locked', 'PRIORITY 150 FOR Publish TO TOPIC "a"', 'IF TOPIC EXISTS "lock" THEN\n    DENY')
  t.notOk(isOpen([OPEN, locked]))
  const narrow = { groups: [], publish: ['#'], subscribe: undefined, expiresAtMs: undefined }
  t.notOk(isOpen([OPEN], identity('ann', 'c1', narrow)))
  t.ok(isOpen([], identity('root')))
})

t.test('people are told of every rule that was looked at', async (t) => {
  const policy = policyOf(
    [
      OPEN,
      CLOSED,
      rule('Other', 'PRIORITY 110 FOR Publish TO TOPIC "b"', 'ALLOW'),
      rule('Bob', 'PRIORITY 120 FOR Publish TO TOPIC "#"', 'IF USER IS "bob" THEN\n    DENY'),
      rule('Same', 'PRIORITY 200 FOR Publish TO TOPIC "line/#"', 'ALLOW'),
    ],
    [ANN],
  )
  t.same(policy.explain(question('Publish', 'line/1', identity('ann')), NO_WORLD), {
    decision: { allowed: false, rule: 'Closed', reason: 'rule Closed', reads: [] },
    considered: [
      { rule: 'Other', priority: 110, outcome: 'other topic' },
      { rule: 'Bob', priority: 120, outcome: 'abstain' },
      { rule: 'Closed', priority: 200, outcome: 'deny' },
      { rule: 'Same', priority: 200, outcome: 'allow' },
    ],
  })
  t.same(policy.explain(question('Publish', 'line/1', identity('root')), NO_WORLD).considered, [])
  t.same(policy.explain(question('Connect', undefined), NO_WORLD).considered, [])
  t.same(
    policy.explain(question('Publish', '$x'), NO_WORLD).considered.map(({ outcome }) => outcome),
    ['other topic', 'other topic', 'other topic', 'other topic', 'other topic'],
  )
  const unknownOf = (userName?: string) =>
    policy.explain(question('Publish', 'line/1', identity(userName)), NO_WORLD).unknownUser
  t.same(['ann', 'eve', 'root', undefined].map(unknownOf), [undefined, 'eve', undefined, undefined])
})
