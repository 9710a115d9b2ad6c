import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runMerlot } from './cli.fixture.js'
import { allCommands } from './commands.js'
import { GROUPS } from './program.js'

const COMMANDS = await allCommands()

t.test('every command has help with examples', async (t) => {
  const { exitCode, stdout } = await runMerlot(['--help'])
  t.equal(exitCode, 0)
  for (const { name, options, examples } of COMMANDS) {
    const words = name.split(' ')
    t.match(stdout, new RegExp(`^  ${words[0]} `, 'm'))
    const help = await runMerlot([...words, '--help'])
    t.equal(help.exitCode, 0)
    for (const { flags } of options) t.ok(help.stdout.includes(flags), `${name} ${flags}`)
    t.ok(examples.length > 0)
    for (const example of examples) t.ok(help.stdout.includes(example), example)
    t.equal((await runMerlot(['help', ...words])).stdout, help.stdout)
  }
  for (const [name, summary] of Object.entries(GROUPS)) {
    t.ok(stdout.replace(/\s+/g, ' ').includes(summary), summary)
    const group = await runMerlot(['help', name])
    const commands = COMMANDS.filter((command) => command.name.startsWith(`${name} `))
    for (const { summary: ofCommand } of commands)
      t.ok(group.stdout.replace(/\s+/g, ' ').includes(ofCommand), ofCommand)
  }
})

t.test('the documented meaning of -h: help, but the host for pub and sub', async (t) => {
  t.match(await runMerlot(['start', '-h']), { exitCode: 0, stdout: /^Usage: merlot start/ })
  t.match(await runMerlot(['pub', '-h', 'localhost']), { exitCode: 2, stderr: /^merlot: no topic is given/ })
})

t.test('wrong usage: exit code 2, the cause, the remedy, nothing on standard output', async (t) => {
  for (const [args, message] of [
    [['strat'], /^merlot: unknown command 'strat' \(Did you mean start\?\)\nmerlot help lists all\n/],
    [['start', '--prot', '1'], /^merlot: unknown option '--prot' \(Did you mean --port\?\)\n/],
    [['start', 'now'], /^merlot: too many arguments.*\nmerlot help COMMAND/],
    [
      ['command', '--data', 'd', '-p', '1', '-removeRule', 'X', '--json'],
      /^merlot: too many .*\nput the command in quotes: merlot command "-removeRule X"\n/,
    ],
    [['pub', '-t', 'a', '-m', 'b', '-q', '3'], /^merlot: .*'3' is invalid. It must be a whole number from 0 to 2.\n/],
    [['pub', '-t', 'a', '-m', 'b', '--protocol', '4'], /^merlot: .*Allowed choices are 3.1, 3.1.1, 5.\n/],
    [['pub', '-m', 'b'], /^merlot: no topic is given\nadd --topic\n/],
    [['pub', '-t', 'a'], /^merlot: no payload is given\n/],
    [['pub', '-t', 'a', '-m', 'b', '-n'], /^merlot: --message and --empty are both given\n/],
    [['pub', '-t', 'a', '-f', '/none'], /^merlot: cannot read \/none: no such file or directory\n/],
    [['pub', '-t', 'a', '-m', 'b', '--will-qos', '1'], /^merlot: a will needs a topic\n/],
    [['pub', '-t', 'a', '-m', 'b', '--user-property', 'x'], /^merlot: the user property x has no value\n/],
    [
      ['pub', '-t', 'a', '-m', 'b', '--protocol', '3.1.1', '--content-type', 'x'],
      /^merlot: --content-type is a feature/,
    ],
    [['pub', '-t', 'a', '-m', 'b', '--protocol', '3.1.1', '-P', 'x'], /^merlot: MQTT 3.1.1 has no password without/],
    [['pub', '-t', 'a/#', '-m', 'b'], /^merlot: "a\/#" is not a topic to publish to\n/],
    [['pub', '-t', '', '-m', 'b'], /^merlot: "" is not a topic to publish to\n/],
    [['pub', '-t', 'a', '-m', 'b', '--will-topic', '+'], /^merlot: "\+" is not a topic to publish to\n/],
    [['sub'], /^merlot: no topic filter is given\n/],
    [['sub', '-t', 'a', '-t', 'a/#/b'], /^merlot: "a\/#\/b" is not a topic filter: # is not the last level\n/],
    [['help', 'nope'], /^merlot: unknown command 'nope'\nmerlot help lists all\n/],
    [['sub', '-t', 'a', '--no-clean'], /^merlot: --no-clean needs a client identifier\n/],
    [['sub', '-t', 'a', '--no-local', '--protocol', '3.1'], /^merlot: --no-local is a feature of MQTT 5\n/],
    [[], /^Usage: merlot/],
  ] as const) {
    const result = await runMerlot(args)
    t.equal(result.exitCode, 2, args.join(' '))
    t.match(result.stderr, message)
    t.equal(result.stdout, '')
    t.notMatch(result.stderr, /\n\s+at /, 'no stack')
  }
})

t.test('version', async (t) => {
  const { exitCode, stdout } = await runMerlot(['version'])
  t.equal(exitCode, 0)
  t.match(stdout, new RegExp(`^Merlot \\d+\\.\\d+\\.\\d+ \\(Node.js ${process.versions.node}, ${process.platform} `))
})

t.test('config prints values with their origins and hides secrets', async (t) => {
  const folder = t.testdir({
    'merlot.yaml': 'listeners:\n  - type: tls\n    tls: { pfxFile: a.pfx, passphrase: geheim }\n',
  })
  const run = (...args: string[]) =>
    runMerlot(['config', '--set', 'sys.intervalSeconds=3', ...args], { workingDirectory: folder })
  const all = await run()
  t.equal(all.exitCode, 0)
  t.match(all.stdout, /^sys.intervalSeconds +[=] 3 +# --set sys.intervalSeconds$/m)
  t.match(all.stdout, /^session.receiveMaximum +[=] 1024 +# default$/m)
  t.match(all.stdout, /^listeners.0.tls.passphrase +[=] \(hidden\) +# merlot.yaml:3:28$/m)
  const changed = await run('--changed', '--json')
  t.same(JSON.parse(changed.stdout), [
    { key: 'listeners.0.type', value: 'tls', origin: 'merlot.yaml:2:5' },
    { key: 'listeners.0.tls.pfxFile', value: join(folder, 'a.pfx'), origin: 'merlot.yaml:3:12' },
    { key: 'listeners.0.tls.passphrase', value: '(hidden)', origin: 'merlot.yaml:3:28' },
    { key: 'sys.intervalSeconds', value: 3, origin: '--set sys.intervalSeconds' },
  ])
  t.notMatch(all.stdout + changed.stdout, /geheim/)
})

t.test('check says whether a broker can start', async (t) => {
  const folder = t.testdir({ file: '' })
  mkdirSync(join(folder, 'ok'))
  writeFileSync(join(folder, 'bad.yaml'), 'session:\n  recieveMaximum: 1\n')
  const run = (...args: string[]) => runMerlot(['check', ...args], { workingDirectory: folder })
  t.match(await run(), { exitCode: 0, stdout: 'the configuration without a file is valid\n', stderr: '' })
  t.match(await run('--host', '0.0.0.0'), {
    exitCode: 0,
    stdout: /valid, with 1 warning\n$/,
    stderr: /^warning: passwords and messages cross the network/,
  })
  t.match(await run('--host', '0.0.0.0', '--strict'), {
    exitCode: 2,
    stdout: '',
    stderr: /failed the check: 0 errors, 1 w/,
  })
  t.match(await run('--data', 'file'), { exitCode: 2, stderr: /^error: cannot use the folder .*\n {2}check its owner/ })
  t.match(await run('--config', 'bad.yaml'), {
    exitCode: 2,
    stderr: /^merlot: session.recieveMaximum is unknown; did you mean session.receiveMaximum\? \(bad.yaml:2:3\)\n/,
  })
})
