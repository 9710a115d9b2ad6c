import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BrokerError } from '../base/errors.js'
import { type ConfigFlags, type LoadedConfig, loadConfig } from './load.js'
import { originText } from './origin.js'
import { BrokerConfig } from './schema.js'

interface Given {
  readonly files?: Readonly<Record<string, string>>
  readonly flags?: ConfigFlags
  readonly environment?: Readonly<Record<string, string>>
}

function load(
  t: Test,
  { files = {}, flags = {}, environment = {} }: Given,
): LoadedConfig & { readonly folder: string } {
  const folder = t.testdir({})
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return { ...loadConfig({ flags, environment, workingDirectory: folder }), folder }
}

function problemsOf(t: Test, given: Given): readonly string[] {
  try {
    load(t, given)
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'CONFIG_INVALID') {
      return error.message.split('\n').map((line) => line.trim())
    }
    throw error
  }
  t.fail('the configuration was accepted')
  return []
}

t.test('without anything, the defaults', async (t) => {
  const { config, file, folder, warnings, originOf } = load(t, {})
  t.same(config, { ...BrokerConfig.parse({}), dataDirectory: join(folder, 'data') })
  t.match(config.listeners, [
    { type: 'tcp', host: '127.0.0.1', port: 1883 },
    { type: 'ws', host: '127.0.0.1', port: 5000, path: '/mqtt' },
  ])
  t.equal(file, undefined)
  t.same(warnings, [])
  t.equal(originText(originOf(['session', 'receiveMaximum'])), 'default')
})

t.test('the result is frozen to its leaves', async (t) => {
  const { config } = load(t, {})
  t.throws(() => {
    config.session.receiveMaximum = 1
  }, TypeError)
  t.throws(() => {
    config.listeners[0]!.port = 1
  }, TypeError)
})

t.test('file < environment < --set, and each value knows its origin', async (t) => {
  const yaml = 'session:\n  receiveMaximum: 1\n  inflightMax: 1\n  subscriptionsMax: 1\n'
  const { config, originOf } = load(t, {
    files: { 'merlot.yaml': yaml },
    environment: { MERLOT_SESSION__INFLIGHT_MAX: '2', MERLOT_SESSION__SUBSCRIPTIONS_MAX: '2' },
    flags: { set: ['session.subscriptionsMax=3'] },
  })
  t.match(config.session, { receiveMaximum: 1, inflightMax: 2, subscriptionsMax: 3, queueQos0: false })
  const origins = ['receiveMaximum', 'inflightMax', 'subscriptionsMax', 'queueQos0'].map((key) =>
    originText(originOf(['session', key])),
  )
  t.same(origins, ['merlot.yaml:2:3', 'MERLOT_SESSION__INFLIGHT_MAX', '--set session.subscriptionsMax', 'default'])
})

t.test('YAML, JSON and TOML say the same', async (t) => {
  const json = {
    listeners: [
      { type: 'tcp', port: 1884 },
      { type: 'tls', tls: { certFile: 'a.pem', keyFile: 'b.pem' } },
    ],
    threads: { shards: 3 },
    session: { queueQos0: true, queueFullPolicy: 'dropOldest' },
    log: { areas: { session: 'debug' } },
  }
  const files = {
    'a.json': JSON.stringify(json, undefined, 2),
    'a.yaml': `listeners:
  - type: tcp
    port: 1884
  - type: tls
    tls: { certFile: a.pem, keyFile: b.pem }
threads: { shards: 3 }
session:
  queueQos0: true
  queueFullPolicy: dropOldest
log: { areas: { session: debug } }
`,
    'a.toml': `[[listeners]]
type = "tcp"
port = 1884
[[listeners]]
type = "tls"
[listeners.tls]
certFile = "a.pem"
keyFile = "b.pem"
[threads]
shards = 3
[session]
queueQos0 = true
queueFullPolicy = "dropOldest"
[log]
areas = { session = "debug" }
`,
  }
  const [fromJson, fromYaml, fromToml] = Object.keys(files).map((config) => load(t, { files, flags: { config } }))
  t.same(fromYaml!.config, fromJson!.config)
  t.same(fromToml!.config, fromJson!.config)
  t.equal(fromToml!.config.listeners[1]!.port, 8883, 'the port follows from the type')
  const lines = [fromJson, fromYaml, fromToml].map((loaded) =>
    originText(loaded!.originOf(['listeners', 1, 'tls', 'keyFile'])),
  )
  t.same(lines, ['a.json:11:9', 'a.yaml:5:29', 'a.toml:8:1'])
})

t.test('all problems at once: where, what was expected, what was given, what was meant', async (t) => {
  const yaml = `session:
  recieveMaximum: 5
  inflightMax: many
threads: 5
receiveMaximum: 1
listeners:
  - type: tls
  - port: 99999
  - { type: ws, path: mqtt, tls: { passphrase: 12345 } }
log:
  areas: { sesion: debug, session: loud }
`
  const problems = problemsOf(t, {
    files: { 'merlot.yaml': yaml },
    environment: { MERLOT_SESSION__RECIEVE_MAXIMUM: '1', MERLOT_SYS__INTERVAL_SECONDS: '-1' },
    flags: { set: ['session.queueQos0', 'listeners.7.port=4', 'threads.connections=many'], shards: '0' },
  })
  t.same(problems, [
    'the configuration has 16 problems:',
    'session.recieveMaximum is unknown; did you mean session.receiveMaximum? (merlot.yaml:2:3)',
    'threads must be a group of keys (shards, connections, ringBytes), but 5 was given (merlot.yaml:4:1)',
    'receiveMaximum is unknown; did you mean session.receiveMaximum? (merlot.yaml:5:1)',
    'log.areas.sesion is unknown; did you mean log.areas.session? (merlot.yaml:11:12)',
    'MERLOT_SESSION__RECIEVE_MAXIMUM is unknown; did you mean MERLOT_SESSION__RECEIVE_MAXIMUM?',
    'a setting is written key=value (--set session.queueQos0)',
    'listeners.7.port does not exist: the list has 3 entries (--set listeners.7.port)',
    'listeners.0.tls must be given for a listener of type tls (merlot.yaml:7:5)',
    'listeners.1.type must be one of tcp, tls, ws, wss, unix, but is missing (merlot.yaml:8:5)',
    'listeners.1.port must be a whole number from 0 to 65535, but 99999 was given (merlot.yaml:8:5)',
    'listeners.2.tls.passphrase must be text, but something else was given (merlot.yaml:9:36)',
    'threads.shards must be auto, or a whole number from 1 to 64, but 0 was given (--shards)',
    'threads.connections must be auto, or a whole number from 1 to 64, but "many" was given (--set threads.connections)',
    'session.inflightMax must be a whole number from 1 to 65535, but "many" was given (merlot.yaml:3:3)',
    'sys.intervalSeconds must be a whole number from 0 to 86400, but -1 was given (MERLOT_SYS__INTERVAL_SECONDS)',
    'log.areas.session must be one of silent, error, warn, info, debug, trace, but "loud" was given (merlot.yaml:11:27)',
  ])
  t.notMatch(problems.join(), '12345', 'a passphrase is not shown')
})

t.test('--host, --port and --ws-port change the listeners there are, or add one', async (t) => {
  const plain = load(t, { flags: { host: '::', port: '0', wsPort: '8080' } })
  t.match(plain.config.listeners, [
    { type: 'tcp', host: '::', port: 0 },
    { type: 'ws', host: '::', port: 8080 },
  ])
  t.equal(originText(plain.originOf(['listeners', 1, 'port'])), '--ws-port')
  const own = load(t, {
    files: { 'own.json': '{"listeners":[{"type":"unix","path":"m.sock"},{"type":"tls","tls":{"pfxFile":"a"}}]}' },
    flags: { config: 'own.json', host: '10.0.0.1', port: '1884', set: ['listeners.1.port=8884'] },
  })
  t.match(own.config.listeners, [
    { type: 'unix', host: '127.0.0.1' },
    { type: 'tls', host: '10.0.0.1', port: 8884 },
    { type: 'tcp', host: '10.0.0.1', port: 1884 },
  ])
  t.same(problemsOf(t, { flags: { port: '70000' } }), [
    'listeners.0.port must be a whole number from 0 to 65535, but 70000 was given (--port)',
  ])
})

t.test('a list from a later source replaces the whole list; an entry can be changed on its own', async (t) => {
  const { config, originOf } = load(t, {
    files: {
      'merlot.json': '{"listeners":[{"type":"tcp","port":1,"path":"/x"},{"type":"ws"},{"type":"tcp","port":3}]}',
    },
    environment: { MERLOT_LISTENERS: '[{type: tcp, port: 4}]', MERLOT_LISTENERS__0__HOST: 'localhost' },
    flags: { set: ['listeners.1={type: ws, port: 5}'] },
  })
  t.match(config.listeners, [
    { type: 'tcp', port: 4, host: 'localhost' },
    { type: 'ws', port: 5 },
  ])
  t.equal(config.listeners.length, 2)
  t.equal(originText(originOf(['listeners', 0, 'port'])), 'MERLOT_LISTENERS')
  t.equal(originText(originOf(['listeners', 0, 'path'])), 'default', 'nothing is left of the list before')
})

t.test('relative paths begin at the file that names them, otherwise at the working directory', async (t) => {
  const tls = '{"type":"tls","tls":{"certFile":"c.pem","keyFile":"/k.pem"}}'
  const { config, folder, file } = load(t, {
    files: { 'etc/m.json': `{"dataDirectory":"d","listeners":[${tls},{"type":"unix","path":"m.sock"},{"type":"ws"}]}` },
    flags: { set: ['listeners.0.tls.caFile=ca.pem'] },
    environment: { MERLOT_CONFIG: 'etc/m.json' },
  })
  t.equal(file, join(folder, 'etc/m.json'))
  t.equal(config.dataDirectory, join(folder, 'etc/d'))
  t.match(config.listeners[0]!.tls, {
    certFile: join(folder, 'etc/c.pem'),
    keyFile: '/k.pem',
    caFile: join(folder, 'ca.pem'),
  })
  t.equal(config.listeners[1]!.path, join(folder, 'etc/m.sock'))
  t.equal(config.listeners[2]!.path, '/mqtt', 'the path of a URL is no file')
})

t.test('a project is a path, a name or an address', async (t) => {
  const of = (project: string): string => load(t, { flags: { project } }).config.lot.project
  const { config, folder, originOf } = load(t, { flags: { project: './plant' } })
  t.equal(config.lot.project, join(folder, 'plant'))
  t.equal(originText(originOf(['lot', 'project'])), '--project')
  t.match(of('sub/plant'), /^\/.*\/sub\/plant$/)
  t.match(of('plant.zip'), /^\/.*\/plant\.zip$/)
  for (const same of ['plant', 'https://host/plant.git', 'git@host:group/plant.git', '/srv/plant', ''])
    t.equal(of(same), same)
})

t.test('which file is read', async (t) => {
  const files = { 'merlot.toml': '[session]\nreceiveMaximum = 7\n', 'other.yml': 'session: { receiveMaximum: 8 }' }
  t.equal(load(t, { files }).config.session.receiveMaximum, 7)
  t.equal(load(t, { files, environment: { MERLOT_CONFIG: 'other.yml' } }).config.session.receiveMaximum, 8)
  t.equal(
    load(t, { files, environment: { MERLOT_CONFIG: 'other.yml' }, flags: { config: 'merlot.toml' } }).config.session
      .receiveMaximum,
    7,
  )
  t.match(problemsOf(t, { files: { ...files, 'merlot.yaml': '' } }), [/^merlot.yaml and merlot.toml are both in /])
  t.match(problemsOf(t, { flags: { config: 'merlot.ini' } }), [/^merlot.ini has none of the extensions/])
  t.throws(() => load(t, { flags: { config: 'nowhere.yaml' } }), {
    code: 'FILE_UNREADABLE',
    message: 'cannot read nowhere.yaml: no such file or directory',
  })
})

t.test('variables of others with our prefix are told of, not refused; empty ones are not set', async (t) => {
  const { config, warnings } = load(t, {
    environment: {
      MERLOT_PORT: 'tcp://10.0.0.1:1883',
      MERLOT_SYS__INTERVAL_SECONDS: '',
      MERLOT_PASSWORD: 'x',
      PATH: 'y',
    },
  })
  t.equal(config.sys.intervalSeconds, 10)
  t.same(warnings, ['environment variable MERLOT_PORT is unknown; it has no effect'])
})

t.test('an empty file and empty groups are fine; another shape is not', async (t) => {
  t.equal(load(t, { files: { 'merlot.yaml': '# nothing\n' } }).config.sys.intervalSeconds, 10)
  t.equal(load(t, { files: { 'merlot.yaml': 'session:\nlog:\n' } }).config.log.level, 'info')
  t.match(problemsOf(t, { files: { 'merlot.yaml': '- 5\n' } }), [/^the configuration must be a group of keys/])
  t.match(problemsOf(t, { files: { 'merlot.json': '{"__proto__":{"a":1},"constructor":1}' } }), [
    'the configuration has 2 problems:',
    /^__proto__ is unknown/,
    /^constructor is unknown/,
  ])
})
