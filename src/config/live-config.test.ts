import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { configView } from './config-view.js'
import { effectiveValues } from './effective.js'
import { keptSettingsFile, readKeptSettings } from './kept-settings.js'
import { LiveConfig } from './live-config.js'
import { type ConfigFlags, loadConfig } from './load.js'

interface Given {
  readonly file?: string
  readonly flags?: ConfigFlags
  readonly environment?: Readonly<Record<string, string>>
}

/** A broker's configuration over `merlot.yaml`, and the next start of it. */
function setUp(t: Test, { file = '', flags = {}, environment = {} }: Given = {}) {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'data'))
  const path = join(folder, 'merlot.yaml')
  writeFileSync(path, file)
  const start = (): LiveConfig => {
    const kept = readKeptSettings(join(folder, 'data'))
    const read = (settings: typeof kept) => loadConfig({ flags, environment, workingDirectory: folder, kept: settings })
    return new LiveConfig(read(kept).config, kept, read)
  }
  const live = start()
  const set = (document: unknown) => live.change(JSON.stringify(document), 0)
  const refusal = (document: unknown): string => {
    const before = structuredClone(live.current)
    const kept = readKeptSettings(join(folder, 'data'))
    let message = ''
    try {
      live.change(typeof document === 'string' ? document : JSON.stringify(document), 0)
    } catch (error) {
      message = (error as Error).message
    }
    t.same(live.current, before, 'all or nothing')
    t.same(readKeptSettings(join(folder, 'data')), kept)
    return message
  }
  return { live, start, set, refusal, data: join(folder, 'data'), write: (text: string) => writeFileSync(path, text) }
}

t.test('the file is read again', async (t) => {
  const { live, write } = setUp(t, { file: 'session: {inflightMax: 5}\n', flags: { set: ['sys.intervalSeconds=3'] } })
  write('session: {inflightMax: 6}\nsys: {intervalSeconds: 4}\nthreads: {shards: 2}\n')
  t.same(live.reload(0), { changed: ['session.inflightMax'], needsRestart: ['threads.shards'], warnings: [] })
  t.equal(live.current.session.inflightMax, 6)
  t.equal(live.current.sys.intervalSeconds, 3, 'flags come first, as at the start')
  t.same(live.needsRestart, ['threads.shards'])
  t.equal(live.asked.threads.shards, 2)
  write('session: {inflightMax: 6}\n')
  t.same(live.reload(0), { changed: [], needsRestart: [], warnings: [] })
})

t.test('a file that is half written, or wrong anywhere, changes nothing', async (t) => {
  const { live, write } = setUp(t, { file: 'session: {inflightMax: 5}\n' })
  const cases: readonly (readonly [text: string, problem: RegExp])[] = [
    ['session: {inflightMax: 6}\nsys: {interv', /merlot\.yaml:\d+:\d+: /],
    ['session:\n  inflightMax: 6\n  inflightMin: 1\n', /inflightMin is unknown; did you mean session\.inflightMax/],
    ['session:\n  inflightMax: 0\n', /inflightMax must be a whole number.*merlot\.yaml:2:3/],
    ['session: {inflightMax: 6}\nlisteners: [{type: tcp, port: 1}, {type: tcp, port: 1}]\n', /both want/],
  ]
  for (const [text, problem] of cases) {
    write(text)
    t.throws(() => live.reload(0), { code: 'CONFIG_INVALID', message: problem })
    t.equal(live.current.session.inflightMax, 5)
    t.same(live.needsRestart, [])
  }
})

t.test('what clients set holds at once and after the next start, above the file', async (t) => {
  const { live, set, start, data, write } = setUp(t, { file: 'session: {inflightMax: 5}\n' })
  t.same(set({ session: { inflightMax: 6 }, threads: { shards: 2 } }), {
    changed: ['session.inflightMax'],
    needsRestart: ['threads.shards'],
    warnings: [],
  })
  t.equal(statSync(keptSettingsFile(data)).mode & 0o777, 0o600)
  set({ session: { queueQos0: true } })
  write('session: {inflightMax: 7, subscriptionsMax: 9}\n')
  live.reload(0)
  t.match(live.current.session, { inflightMax: 6, queueQos0: true, subscriptionsMax: 9 }, 'parts add up')
  const next = start()
  t.match(next.current, { session: { inflightMax: 6, queueQos0: true }, threads: { shards: 2 } })
  t.same(next.needsRestart, [])
  t.same(set({ session: { inflightMax: null } }).changed, ['session.inflightMax'], 'null takes back')
  t.equal(live.current.session.inflightMax, 7)
  set(null)
  t.equal(live.current.session.queueQos0, false)
  t.notOk(existsSync(keptSettingsFile(data)), 'everything')
})

t.test('a value that holds anyway is not kept', async (t) => {
  const { live, set, data, write } = setUp(t, { file: 'session: {inflightMax: 5}\n' })
  set({ session: { inflightMax: 5, queueQos0: true } })
  t.same([...readKeptSettings(data)], [['session.queueQos0', true]])
  write('session: {inflightMax: 8}\n')
  live.reload(0)
  t.equal(live.current.session.inflightMax, 8)
})

t.test('what the broker shows can be sent back, and changes nothing', async (t) => {
  const { live, set, data } = setUp(t, {
    file: 'authentication: {scram: [SCRAM-SHA-256]}\nresponseInformation: a/\nlisteners: [{type: tcp}, {type: ws, port: 9}]\n',
  })
  const view = JSON.parse(JSON.stringify(configView(live.asked, ['dataDirectory'])))
  t.match(view, {
    Name: 'Merlot',
    Port: 1_883,
    WebsocketPort: 9,
    TlsPort: 0,
    AnonymousLogin: true,
    FullDebugLog: false,
  })
  t.match(view, { session: { inflightMax: 1_024 }, BindIPForMQTT: '127.0.0.1', NeedsRestart: ['dataDirectory'] })
  t.same(set(view), { changed: [], needsRestart: [], warnings: [] })
  t.notOk(existsSync(keptSettingsFile(data)))
})

t.test('keys of old clients', async (t) => {
  const { live, set, refusal, data } = setUp(t, { file: 'listeners: [{type: ws}, {type: tcp}]\n' })
  const outcome = set({
    Name: 'Hall 7',
    Port: 1_900,
    WebsocketPort: 5_001,
    FullDebugLog: true,
    AnonymousLogin: false,
    BindIPForMQTT: '127.0.0.2',
    TlsPort: 0,
    CertificatePath: '',
    CertificatePassword: '',
  })
  t.same([...outcome.changed].sort(), ['log.level', 'name'], 'listeners that move are others after a restart')
  t.same(outcome.needsRestart, ['listeners.0', 'listeners.1'])
  t.match(live.asked.listeners, [
    { type: 'ws', port: 5_001, anonymous: 'deny' },
    { type: 'tcp', port: 1_900, host: '127.0.0.2', anonymous: 'deny' },
  ])
  t.match(configView(live.asked, []), { Name: 'Hall 7', Port: 1_900, AnonymousLogin: false, FullDebugLog: true })
  set({ AnonymousLogin: true })
  t.equal(live.asked.listeners[1].anonymous, 'local', 'clients of this machine, not of the network')
  set({ Port: null, WebsocketPort: null, BindIPForMQTT: null })
  t.notOk([...readKeptSettings(data).keys()].some((key) => /port|host/.test(key)))
  t.match(refusal({ TlsPort: 8_883 }), /TlsPort needs a listener of type tls/)
  t.match(refusal({ Port: 0 }), /Port is 0: take the listener out/)
  t.match(refusal({ AnonymousLogin: 'yes' }), /AnonymousLogin must be true or false/)
  t.match(refusal({ CertificatePassword: 'x' }), /CertificatePassword cannot be set by clients/)
  t.match(refusal({ TslPort: 1 }), /TslPort is unknown; did you mean TlsPort\?/)
})

t.test('AnonymousLogin takes effect at once where listeners stay', async (t) => {
  const { live, set } = setUp(t)
  t.same(set({ AnonymousLogin: false }).changed, ['listeners.0.anonymous', 'listeners.1.anonymous'])
  t.equal(live.current.listeners[0].anonymous, 'deny')
})

t.test('documents that are refused', async (t) => {
  const { refusal } = setUp(t, {
    flags: { set: ['session.inflightMax=3'] },
    environment: { MERLOT_SYS__INTERVAL_SECONDS: '4' },
  })
  t.match(refusal('{"session": {"inflightMax": 1'), /^line 1, column \d+: /)
  t.match(refusal('[1]'), /must be a JSON object/)
  t.match(
    refusal({ session: { inflightMx: 1 } }),
    /session\.inflightMx is unknown; did you mean session\.inflightMax\?/,
  )
  t.match(refusal({ session: { queueQos0: true, subscriptionsMax: 0 } }), /subscriptionsMax must be .*\(Config\/New\)/)
  t.match(refusal({ session: 5 }), /session must be a group of keys/)
  t.match(refusal({ dataDirectory: '/tmp' }), /dataDirectory cannot be set by clients/)
  t.match(refusal({ session: { inflightMax: 9 } }), /stays as it is: --set session\.inflightMax was given/)
  t.match(refusal({ sys: { intervalSeconds: 9 } }), /stays as it is: MERLOT_SYS__INTERVAL_SECONDS was given/)
  t.match(refusal(`{"name": "${'x'.repeat(70_000)}"}`), /more than 65536/)
  t.match(refusal('{"__proto__": {"polluted": 1}}'), /__proto__ is unknown/)
  t.match(refusal({ listeners: { 5: { port: 1 } } }), /the list has 2 entries/)
  const passphrase = { type: 'tls', tls: { pfxFile: 'a', passphrase: 'p' } }
  t.match(refusal({ listeners: [passphrase] }), /listeners\.0\.tls\.passphrase cannot be set by clients/)
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, number) => [`unknown${number}`, 1]))
  t.ok(refusal(many).split('\n').length <= 20, 'a few problems are enough')
})

t.test('secrets are shown to nobody', async (t) => {
  const file = 'listeners: [{type: tls, tls: {pfxFile: a.pfx, passphrase: hidden}}]\n'
  const folder = t.testdir({ 'merlot.yaml': file })
  const { config } = loadConfig({ flags: {}, environment: {}, workingDirectory: folder })
  const text = JSON.stringify(configView(config, []))
  t.notMatch(text, /hidden/)
  t.match(JSON.parse(text), { CertificatePassword: '********', listeners: [{ tls: { passphrase: '********' } }] })
})

t.test('the origin of what clients have set is told', async (t) => {
  const folder = t.testdir({})
  const kept = new Map([['session.inflightMax', 4]])
  const loaded = loadConfig({ flags: {}, environment: {}, workingDirectory: folder, kept })
  const shown = [...effectiveValues(loaded.config)].find(({ path }) => path.join('.') === 'session.inflightMax')
  t.equal(shown?.value, 4)
  t.same(loaded.originOf(['session', 'inflightMax']), { kind: 'client' })
})

t.test('what was kept and is damaged is refused, not passed over', async (t) => {
  const folder = t.testdir({ 'config-new.json': '{"listeners.0.anonymous": "de', other: { 'config-new.json': '[]' } })
  t.throws(() => readKeptSettings(folder), {
    code: 'CONFIG_INVALID',
    message: /config-new\.json:1:\d+[\s\S]*\nmend it, or delete it to take back what clients have set$/,
  })
  t.throws(() => readKeptSettings(join(folder, 'other')), {
    code: 'CONFIG_INVALID',
    message: /\nmend it, or delete it/,
  })
  t.equal(readFileSync(keptSettingsFile(folder), 'utf8'), '{"listeners.0.anonymous": "de')
})
