import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runMerlot } from './cli.fixture.js'

const RULES = `DEFINE RULE OwnPanel WITH PRIORITY 150 FOR Publish TO TOPIC "panel/+/#"
    IF CLIENTID IS TOPIC POSITION 2 THEN
        ALLOW
    ELSE
        DENY

// locks are retained messages
DEFINE RULE Locked WITH PRIORITY 160 FOR Publish TO TOPIC "line/+/setpoint"
    IF TOPIC EXISTS "locks/" + TOPIC POSITION 2 AND NOT USER IN GROUP "leads" THEN
        DENY
`

t.test('rules of files are asked', async (t) => {
  const folder = t.testdir({
    'rules.lot': RULES,
    'users.json': '[{"name": "ann", "groups": ["leads"]}, {"name": "bob"}]',
  })
  const ask = (...args: string[]) =>
    runMerlot(['rule', 'test', '--rules', 'rules.lot', '--users', 'users.json', ...args], { workingDirectory: folder })

  t.same(await ask('--client', 'p1', 'publish', 'panel/p1/text'), {
    exitCode: 0,
    stdout: 'allowed: rule OwnPanel\n      150  OwnPanel  allows\n',
    stderr: '',
  })
  t.same(await ask('--user', 'bob', '--retained', 'locks/l1=service', 'publish', 'line/l1/setpoint'), {
    exitCode: 1,
    stdout: 'denied: rule Locked\n      150  OwnPanel  other topic\n      160  Locked    denies\n',
    stderr: '',
  })
  const locked = ['--retained', 'locks/l1=service', 'publish', 'line/l1/setpoint'] as const
  t.match(await ask('--user', 'ann', ...locked), { exitCode: 0, stdout: /allowed: rule AllowPublishTopic\n/ })
  t.match(await ask('--user', 'eve', '--group', 'leads', ...locked), {
    exitCode: 0,
    stdout: /^allowed: rule AllowPublishTopic\nwarning: There is no user "eve": asked as for a user of a token/,
  })
  const withoutUsers = ['rule', 'test', '--rules', 'rules.lot', '--user', 'eve', 'connect']
  const { stdout } = await runMerlot(withoutUsers, { workingDirectory: folder })
  t.notMatch(stdout, /There is no user/, 'none is known')
  t.match(await ask('--only', 'publish', 'other'), { exitCode: 1, stdout: /^denied: no rule allows it\n/ })
  t.match(await ask('--user', 'bob', 'command'), { exitCode: 1 }, 'the rules of the broker itself')
  t.match(await ask('--user', 'root', 'UserManagementCreation'), {
    exitCode: 0,
    stdout: 'allowed: root passes all rules\n',
  })
  t.match(JSON.parse((await ask('--json', 'connect')).stdout), { allowed: true, rule: 'AllowConnect' })
})

t.test('what cannot be asked', async (t) => {
  const folder = t.testdir({ 'rules.lot': RULES, 'bad.lot': 'DEFINE RULE Half WITH', 'users.json': '{"name": "ann"}' })
  const fails = async (args: readonly string[], stderr: RegExp) =>
    t.match(
      await runMerlot(['rule', 'test', ...args], { workingDirectory: folder }),
      { exitCode: 2, stderr },
      args.join(' '),
    )
  await fails(['fly'], /fly is neither publish/)
  await fails(['publish', 'a', 'b'], /what is "b"\?/)
  await fails(['--only', 'connect'], /--only is of no use without --rules/)
  await fails(['--rules', 'bad.lot', 'connect'], /the rules have errors/)
  await fails(['--rules', 'rules.lot', '--users', 'users.json', 'connect'], /is not a list of users/)
  await fails(['--rules', 'rules.lot', '--retained', 'a', 'connect'], /"a" is not a retained message/)
})

t.test('rules are checked for what they do together', async (t) => {
  const folder = t.testdir({ 'good.lot': RULES })
  const check = (text: string, ...args: string[]) => {
    writeFileSync(join(folder, 'some.lot'), text)
    return runMerlot(['rule', 'check', 'some.lot', ...args], { workingDirectory: folder })
  }
  t.same(await check(RULES), { exitCode: 0, stdout: '2 rules: 0 errors, 0 warnings\n', stderr: '' })
  t.match(await check(RULES, '--only', '--strict'), {
    exitCode: 1,
    stdout:
      /^warning: No rule for Connect allows anything: only root can connect\nwarning: No rule for Subscribe .*\n2 rules: 0 errors, 2 warnings\n$/,
  })
  t.match(await check(RULES.replace('150', '10')), { exitCode: 1, stdout: /LOT3201: Priority 10 is reserved/ })

  const odd = `DEFINE RULE Closed WITH PRIORITY 200 FOR Connect
    DENY

DEFINE RULE Late WITH PRIORITY 300 FOR Connect
    IF USER IS NOT "ann" THEN
        ALLOW

DEFINE RULE Tie WITH PRIORITY 1000000 FOR Publish TO TOPIC "line/#"
    DENY
`
  t.same(await check(odd), {
    exitCode: 0,
    stderr: '',
    stdout: `some.lot:1:13 warning: Closed locks out everybody but root: nobody else can connect
some.lot:4:13 warning: Late never decides anything: Closed (priority 200) always decides before
some.lot:4:13 warning: USER IS NOT in Late is false for anonymous clients; NOT USER IS is true for them
some.lot:8:13 warning: Tie and AllowPublishTopic have the same priority 1000000: where both apply, DENY wins
3 rules: 0 errors, 4 warnings
`,
  })
  const json = JSON.parse((await check(odd, '--json')).stdout) as { warnings: object[] }
  t.match(json.warnings[0], { rule: 'Closed', file: 'some.lot', line: 1, column: 13, message: /locks out/ })
})
