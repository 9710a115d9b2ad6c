import t from 'tap'
import { allKeys, pathText } from './keys.js'
import { adoptConfig, CHANGES_LIVE, changesLive, configDifference } from './live.js'
import { BrokerConfig, type BrokerConfigInput } from './schema.js'

const parse = (input: BrokerConfigInput): BrokerConfig => BrokerConfig.parse(input)

t.test('the table names keys and groups that there are', async (t) => {
  const known = new Set<string>()
  for (const [path] of allKeys()) for (let end = 1; end <= path.length; end++) known.add(pathText(path.slice(0, end)))
  for (const name of Object.keys(CHANGES_LIVE)) t.ok(known.has(name), name)
})

t.test('what covers a key most closely decides', async (t) => {
  t.equal(changesLive(['session', 'inflightMax']), true)
  t.equal(changesLive(['session', 'receiveMaximum']), false, 'clients were told another one')
  t.equal(changesLive(['listeners', 0, 'anonymous']), true)
  t.equal(changesLive(['listeners', '3', 'port']), false)
  t.equal(changesLive(['threads', 'shards']), false)
  t.equal(changesLive(['nothing']), false)
})

t.test('what can change is written in place, the rest is told and left', async (t) => {
  const current = parse({ log: { areas: { session: 'debug' } }, authentication: { rootPasswordFile: 'a' } })
  const { session, log, authentication } = current
  const next = parse({
    session: { inflightMax: 7, receiveMaximum: 9 },
    threads: { shards: 3 },
    responseInformation: 'answers/',
    log: { areas: { lot: 'trace' } },
    dataDirectory: 'elsewhere',
    authentication: { scram: ['SCRAM-SHA-256'] },
  })
  const { changed, needsRestart } = adoptConfig(current, next)
  t.same([...changed].sort(), [
    'authentication.scram',
    'log.areas.lot',
    'log.areas.session',
    'responseInformation',
    'session.inflightMax',
  ])
  t.same([...needsRestart].sort(), [
    'authentication.rootPasswordFile',
    'dataDirectory',
    'session.receiveMaximum',
    'threads.shards',
  ])
  t.equal(current.session, session, 'who holds a section sees the change')
  t.match(session, { inflightMax: 7, receiveMaximum: 1_024 })
  t.same({ ...log.areas }, { session: undefined, lot: 'trace' })
  t.same(authentication.scram, ['SCRAM-SHA-256'])
  t.equal(current.threads.shards, 'auto')
  t.equal(current.responseInformation, 'answers/')
  t.same(configDifference(current, next).needsRestart, needsRestart, 'it goes on being told')
  t.same(configDifference(current, next).changed, [])
})

t.test('settings of tokens are another object when any of them changes', async (t) => {
  const jwt = { jwksFile: 'keys.json', issuer: 'a' }
  const current = parse({ authentication: { jwt } })
  const before = current.authentication.jwt
  t.same(adoptConfig(current, parse({ authentication: { jwt } })).changed, [])
  t.equal(current.authentication.jwt, before)
  t.same(adoptConfig(current, parse({ authentication: { jwt: { ...jwt, issuer: 'b' } } })).changed, [
    'authentication.jwt',
  ])
  t.not(current.authentication.jwt, before)
  adoptConfig(current, parse({}))
  t.equal(current.authentication.jwt, undefined)
})

t.test('a listener that stays where it is takes what can change; others wait', async (t) => {
  const at = (port: number, anonymous: 'local' | 'deny', type: 'tcp' | 'ws' = 'tcp') => ({ type, port, anonymous })
  const current = parse({ listeners: [at(1, 'local'), at(2, 'local', 'ws')] })
  const moved = adoptConfig(current, parse({ listeners: [at(3, 'deny'), at(2, 'deny', 'ws'), at(4, 'deny')] }))
  t.same(moved, { changed: ['listeners.1.anonymous'], needsRestart: ['listeners.0', 'listeners.2'] })
  t.match(current.listeners, [at(1, 'local'), at(2, 'deny', 'ws')])
  t.equal(current.listeners.length, 2)
  t.same(configDifference(current, parse({ listeners: [at(1, 'local')] })).needsRestart, ['listeners.1'], 'taken away')
})

t.test('looking at the difference changes nothing', async (t) => {
  const current = parse({})
  const next = parse({ session: { inflightMax: 7 } })
  t.same(configDifference(current, next).changed, ['session.inflightMax'])
  t.equal(current.session.inflightMax, 1_024)
})
