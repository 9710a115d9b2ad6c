import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TABLE } from './engine.js'
import { lockFolder } from './folder-lock.js'
import { numberKey } from './keys.js'
import { checkStoreFile } from './lmdb-check.js'
import { logValue } from './message-parts.js'
import { backUpStore, compactStore } from './store-copy.js'
import { exportStore } from './store-export.js'
import { importStore } from './store-import.js'
import { inspectStore } from './store-inspect.js'
import { loggedMessage } from './store-parts.fixture.js'
import { ALIVE_MS, openEngine, writeStore } from './store-tools.fixture.js'
import { verifyStore } from './store-verify.js'

const NOW_MS = ALIVE_MS + 10_000
const nothing = (): void => {}

async function exported(data: string): Promise<string> {
  let text = ''
  const damage: string[] = []
  const write = async (lines: string): Promise<void> => {
    text += lines
  }
  await exportStore(data, { write, nowMs: NOW_MS, onDamage: (what) => damage.push(what) })
  t.same(damage, [])
  return text
}

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

t.test('inspect', async (t) => {
  const data = await writeStore(t.testdir({}))
  const found = await inspectStore(data)
  t.match(found, {
    folder: join(data, 'store'),
    version: 1,
    usedByPid: undefined,
    lastAliveMs: ALIVE_MS,
    tables: { sessions: 2, subscriptions: 3, received: 1, retained: 2, 'log.0': 3 },
    retained: { messages: 2 },
    messages: 3,
    damaged: 0,
  })
  t.same(found.sessions, [
    {
      clientId: 'pump',
      isConnected: false,
      offlineSinceMs: ALIVE_MS - 5_000,
      expirySeconds: 3_600,
      subscriptions: 2,
      waitingMessages: 3,
    },
    {
      clientId: 'panel',
      isConnected: true,
      offlineSinceMs: undefined,
      expirySeconds: 60,
      subscriptions: 1,
      waitingMessages: 1,
    },
  ])
  t.ok(found.fileBytes > found.freeBytes)
  t.same(readdirSync(data), ['store'], 'the lock is given back')
})

t.test('what is not there, and what is too damaged to open', async (t) => {
  const data = t.testdir({})
  const tools: Promise<unknown>[] = [inspectStore(data), verifyStore(data, nothing), exported(data), compactStore(data)]
  for (const tool of tools) {
    await t.rejects(tool, { code: 'STORE_MISSING' })
  }
  await writeStore(data)
  writeFileSync(join(data, 'store', 'data.mdb'), 'x'.repeat(9_000))
  await t.rejects(inspectStore(data), { code: 'STORE_DAMAGED' })
  t.match(await verifyStore(data, nothing), { damaged: 1, lines: ['neither of its root pages makes sense'] })
  await t.rejects(compactStore(data), { code: 'STORE_DAMAGED' })
})

t.test('verify: a sound store, with progress', async (t) => {
  const data = await writeStore(t.testdir({}))
  const shares: number[] = []
  const report = await verifyStore(data, (share) => shares.push(share))
  t.match(report, { damaged: 0, lines: [], leftOver: 0, values: 15 })
  t.ok((report.pages ?? 0) > 4)
  t.equal(shares.at(-1), 1)
  t.same(
    shares,
    shares.toSorted((a, b) => a - b),
  )
})

t.test('verify: each kind of damage is told', async (t) => {
  const data = await writeStore(t.testdir({}))
  const engine = openEngine(data)
  const flipped = (table: string, key: Uint8Array): Uint8Array => {
    const value = new Uint8Array(engine.get(table, key)!)
    value[value.length - 1] ^= 1
    return value
  }
  engine.commit((transaction) => {
    const put = (table: string, key: Uint8Array, text: string): void => transaction.put(table, key, Buffer.from(text))
    transaction.put(TABLE.log(0), numberKey(1), flipped(TABLE.log(0), numberKey(1)))
    transaction.put(TABLE.retained, Buffer.from('r/1'), flipped(TABLE.retained, Buffer.from('r/1')))
    transaction.put(TABLE.retained, Buffer.from('r/3'), engine.get(TABLE.retained, Buffer.from('r/2'))!)
    transaction.put(TABLE.progress(0), numberKey(2), new Uint8Array(80))
    const panel = Buffer.from(engine.get(TABLE.sessions, numberKey(128))!).toString()
    put(TABLE.sessions, numberKey(192), panel)
    put(TABLE.sessions, numberKey(256), panel.replace('128', '256'))
    put(TABLE.sessions, numberKey(320), '{"number":320}')
    put(TABLE.subscriptions, Buffer.concat([numberKey(64), Buffer.from('x')]), '{"filter":')
    put(TABLE.subscriptions, Buffer.concat([numberKey(999), Buffer.from('a')]), subscriptionText('a'))
    put(TABLE.subscriptions, Buffer.concat([numberKey(64), Buffer.from('#/a')]), subscriptionText('#/a'))
    put(TABLE.meta, Buffer.from('aliveMs'), 'x')
    put(TABLE.meta, Buffer.from('session.0'), 'x')
    const gone = { session: 5, packetId: 0, qos: 1, retain: false, isShared: false, identifiers: undefined } as const
    transaction.put(TABLE.log(3), numberKey(1), logValue(loggedMessage(), [gone]))
  })
  await engine.close()
  const { lines, damaged, leftOver } = await verifyStore(data, nothing)
  t.same(lines.toSorted(), [
    'a subscription of session 64 cannot be read',
    'message 1 of log 0 has a wrong checksum',
    'panel has two sessions',
    'session 192 calls itself 128',
    'session 320 cannot be read',
    'the fact session.0 cannot be read',
    'the progress of message 2 of log 0 cannot be read',
    'the retained message of r/1 has a wrong checksum',
    'the retained message of r/3 is that of another topic',
    'the subscription #/a of session 64: # is not the last level',
    'the time when the broker was last alive cannot be read',
  ])
  t.equal(damaged, lines.length)
  t.equal(leftOver, 2, 'what is for sessions that are gone is no damage')
})

function subscriptionText(filter: string): string {
  return JSON.stringify({ filter, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 })
}

t.test('verify: a damaged page', async (t) => {
  const data = await writeStore(t.testdir({}))
  const path = join(data, 'store', 'data.mdb')
  const file = openSync(path, 'r+')
  for (let page = 2; page * 4_096 < statSync(path).size; page++)
    writeSync(file, Buffer.alloc(24, 0xff), 0, 24, page * 4_096)
  closeSync(file)
  const report = await verifyStore(data, nothing)
  t.equal(report.damaged, 1)
  t.match(report.lines, [/page/])
})

t.test('export: every line', async (t) => {
  const data = await writeStore(t.testdir({}))
  const text = await exported(data)
  const [header, pump, panel, ...rest] = linesOf(text)
  t.same(header, { merlotStore: 1, exported: new Date(NOW_MS).toISOString(), aliveMs: ALIVE_MS })
  t.same(pump, {
    type: 'session',
    clientId: 'pump',
    expirySeconds: 3_600,
    disconnectedAtMs: ALIVE_MS - 5_000,
    will: { topic: 'w', payload: 'aGk=', qos: 1, retain: false, delaySeconds: 5, publishProperties: '' },
    owner: { userName: 'ann', address: '192.0.2.7', port: 49_152 },
    subscriptions: [
      { filter: '$share/g/jobs', qos: 2, noLocal: false, retainAsPublished: false, identifier: 0 },
      { filter: 'boiler/#', qos: 2, noLocal: true, retainAsPublished: false, identifier: 7 },
    ],
    received: [],
  })
  t.match(panel, { type: 'session', clientId: 'panel', received: [300] })
  t.notOk('disconnectedAtMs' in panel!)
  const properties = Buffer.from([2, 0, 0, 0, 60, 3, 0, 10, ...Buffer.from('text/plain')]).toString('base64')
  t.same(rest, [
    { type: 'retained', topic: 'r/1', payload: 'b25l', qos: 0, stamp: 1_000 },
    { type: 'retained', topic: 'r/2', payload: 'dHdv', properties, qos: 1, stamp: 2_000, keep: true },
    {
      type: 'message',
      topic: 'boiler/1',
      payload: 'Zmlyc3Q=',
      properties,
      qos: 1,
      expiresAtMs: ALIVE_MS + 60_000,
      receivers: [
        { clientId: 'pump', state: 'queued', qos: 2, retain: true, identifiers: [7] },
        { clientId: 'panel', state: 'sent', packetId: 3, qos: 1, mayRepeat: true },
      ],
    },
    {
      type: 'message',
      topic: 'boiler/1',
      payload: 'AP8B',
      qos: 2,
      receivers: [{ clientId: 'pump', state: 'released', packetId: 9, qos: 2 }],
    },
    {
      type: 'message',
      topic: 'jobs',
      payload: 'dGhpcmQ=',
      qos: 1,
      retain: true,
      receivers: [{ clientId: 'pump', state: 'sent', packetId: 4, qos: 1, shared: true }],
    },
    { type: 'end', definitions: 0, sessions: 2, retained: 2, messages: 3 },
  ])
})

t.test('import: the same store again', async (t) => {
  const root = t.testdir({ 'store.jsonl': '' })
  const text = await exported(await writeStore(join(root, 'a')))
  const file = join(root, 'store.jsonl')
  writeFileSync(file, text)
  const data = join(root, 'new', 'b')
  const counts = await importStore(file, data, { merge: false, bytesMax: 0 })
  t.same(counts, { definitions: 0, sessions: 2, retained: 2, retainedOlder: 0, messages: 3 })
  t.match(await verifyStore(data, nothing), { damaged: 0, leftOver: 0 })
  t.equal(statSync(join(data, 'store', 'data.mdb')).mode & 0o777, 0o600)
  t.same(readdirSync(data), ['store'])
  const [before, after] = [linesOf(text), linesOf(await exported(data))]
  const panel = before.find(({ clientId }) => clientId === 'panel')!
  panel.disconnectedAtMs = ALIVE_MS // it was connected until then
  t.same(after, before, 'nothing is missing, and the time to expiry is the same')
  await t.rejects(importStore(file, data, { merge: false, bytesMax: 0 }), {
    code: 'STORE_NOT_EMPTY',
    message: /2 sessions, 2 retained messages, 3 messages that wait/,
  })
})

t.test('import into a store that is not empty', async (t) => {
  const root = t.testdir({})
  const file = join(root, 'store.jsonl')
  const data = await writeStore(join(root, 'a'))
  const [header, , , r1, r2, m1] = linesOf(await exported(data))
  const session = { type: 'session', clientId: 'new', expirySeconds: 60, subscriptions: [], received: [] }
  const receivers = [{ clientId: 'new', state: 'queued', qos: 1, mayRepeat: true }]
  const write = (...lines: unknown[]): void => {
    writeFileSync(file, [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
  const older = { ...r1, payload: 'b2xk', stamp: 900 }
  const later = { ...r2, payload: 'bmV3', stamp: 2_001 }
  write(session, older, later, { ...m1, receivers }, { type: 'end', sessions: 1, retained: 2, messages: 1 })
  const counts = await importStore(file, data, { merge: true, bytesMax: 0 })
  t.same(counts, { definitions: 0, sessions: 1, retained: 1, retainedOlder: 1, messages: 1 })
  const lines = linesOf(await exported(data))
  t.same(
    lines.filter(({ type }) => type === 'retained').map(({ payload }) => payload),
    [r1!.payload, 'bmV3'],
  )
  t.same(lines.at(-1), { type: 'end', definitions: 0, sessions: 3, retained: 2, messages: 4 })
  t.same(lines.at(-2)!.receivers, receivers, 'behind what was there')
  t.match(await verifyStore(data, nothing), { damaged: 0, leftOver: 0 })

  const size = (): Buffer => readFileSync(join(data, 'store', 'data.mdb'))
  const unchanged = size()
  write(later, session, { type: 'end', sessions: 1, retained: 1, messages: 0 })
  await t.rejects(importStore(file, data, { merge: true, bytesMax: 0 }), {
    code: 'IMPORT_INVALID',
    message: /^line 3 of .*: the store has a session of new already, and two cannot become one$/,
    remedy: /^nothing was changed; remove that session .*, or import into an empty store$/,
  })
  t.ok(unchanged.equals(size()), 'an import that fails changes nothing')
  t.same(readdirSync(data), ['store'])
})

t.test('import: lines that are not valid', async (t) => {
  const root = t.testdir({})
  const file = join(root, 'store.jsonl')
  const good = linesOf(await exported(await writeStore(join(root, 'a'))))
  const at = (index: number, change: Record<string, unknown>): string[] =>
    good.map((line, place) => JSON.stringify(place === index ? { ...line, ...change } : line))
  const receiver = { clientId: 'pump', state: 'queued', qos: 1 }
  const cases: [readonly string[], RegExp][] = [
    [[], /^line 1 .*: it is missing: the file was cut off/],
    [['{"merlot":1}'], /^line 1 .*: it is not the first line of an export/],
    [at(0, { merlotStore: 2 }), /^line 1 .*version 2, and this program knows 1/],
    [at(0, { aliveMs: 'x' }), /aliveMs/],
    [at(1, {}).slice(0, -1), /^line 9 .*: it is missing: the file was cut off/],
    [[...at(1, {}), '{}'], /^line 10 .*: it comes after the last one/],
    [at(1, {}).toSpliced(4, 1), /^line 8 .*: lines before it are missing/],
    [at(1, {}).with(2, '{'), /^line 3 .*: it is not a JSON object/],
    [at(1, { type: 'x' }), /its type is "x"/],
    [at(1, { clientId: 7 }), /clientId/],
    [at(1, { expirySeconds: -1 }), /expirySeconds/],
    [at(1, { will: { topic: 'a/#' } }), /will/],
    [at(1, { owner: { userName: 7 } }), /owner/],
    [at(1, { owner: { userName: 'ann', address: '', port: 0, createdAt: 7 } }), /owner/],
    [at(1, { owner: { userName: '', address: '', port: 0 } }), /owner/],
    [at(1, { subscriptions: [{ filter: 'a' }] }), /a subscription is not complete/],
    [at(1, { received: [0] }), /received/],
    [at(2, { clientId: 'pump' }), /^line 3 .*: pump has a second session/],
    [at(3, { topic: 'a/+' }), /topic/],
    [at(3, { payload: '*' }), /payload must be base64/],
    [at(3, { stamp: 1.5 }), /stamp/],
    [at(3, { keep: false }), /keep/],
    [at(4, { properties: '/w==' }), /properties: .*property 255/],
    [at(4, { expiresAtMs: 'soon' }), /expiresAtMs/],
    [at(5, { receivers: [] }), /receivers/],
    [at(5, { receivers: [{ ...receiver, clientId: 'nobody' }] }), /nobody has no session/],
    [at(5, { receivers: [{ ...receiver, state: 'lost' }] }), /state/],
    [at(5, { receivers: [{ ...receiver, packetId: 4 }] }), /packetId/],
    [at(5, { receivers: [{ ...receiver, state: 'sent', packetId: 65_536 }] }), /packetId/],
    [at(5, { receivers: [{ ...receiver, state: 'released', packetId: 1 }] }), /only messages of QoS 2/],
    [at(5, { receivers: [{ ...receiver, identifiers: [0] }] }), /identifiers/],
  ]
  const data = join(root, 'b')
  for (const [lines, message] of cases) {
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
    await t.rejects(importStore(file, data, { merge: false, bytesMax: 0 }), { code: 'IMPORT_INVALID', message })
    t.same(readdirSync(data), [], String(message))
  }
  await t.rejects(importStore(join(root, 'none'), data, { merge: false, bytesMax: 0 }), { code: 'FILE_UNREADABLE' })
})

t.test('compact: smaller, the same content, and locked meanwhile', async (t) => {
  const data = await writeStore(t.testdir({}))
  const engine = openEngine(data)
  const big = new Uint8Array(100_000)
  engine.commit((transaction) => {
    for (let index = 0; index < 50; index++) transaction.put('filler', numberKey(index + 1), big)
  })
  engine.commit((transaction) => transaction.deletePrefix('filler', new Uint8Array(0)))
  await engine.close()
  const before = await exported(data)
  const { bytesBefore, bytesAfter, report } = await compactStore(data)
  t.equal(report.damaged, 0)
  t.ok(bytesBefore > 5_000_000)
  t.ok(bytesAfter < 200_000, `${bytesAfter} bytes`)
  t.equal(statSync(join(data, 'store', 'data.mdb')).size, bytesAfter)
  t.equal(await exported(data), before)
  const reopened = openEngine(data)
  t.doesNotThrow(() => reopened.commit((transaction) => transaction.put('x', numberKey(1), big)))
  await reopened.close()
  t.same(readdirSync(data), ['store'])
})

t.test('nobody may have the store while it is replaced', async (t) => {
  const data = await writeStore(t.testdir({}))
  writeFileSync(join(data, 'lock'), `{"pid":1,"started":${JSON.stringify(startOfInit())}}\n`)
  const importing = importStore(join(data, 'x'), data, { merge: true, bytesMax: 0 })
  for (const tool of [compactStore(data), importing] as Promise<unknown>[]) {
    await t.rejects(tool, { code: 'STORE_IN_USE' })
  }
  t.match(await inspectStore(data), { usedByPid: 1 })
  t.match(await verifyStore(data, nothing), { ownerPid: 1, pages: undefined, damaged: 0 })
  t.match(linesOf(await exported(data))[0], { aliveMs: NOW_MS }, 'whoever is connected is so now')
  t.same(readdirSync(data), ['lock', 'store'], 'the copy is gone')
})

/** As the lock of process 1 says it. */
function startOfInit(): string {
  const fields = readFileSync('/proc/1/stat', 'latin1')
  return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19]!
}

t.test('backup while the store is written', async (t) => {
  const root = t.testdir({})
  const data = await writeStore(join(root, 'a'))
  const engine = openEngine(data)
  const lock = lockFolder(data)
  const target = join(root, 'copies', 'today')
  const copying = backUpStore(data, target)
  for (let number = 1; number <= 50; number++) {
    engine.commit((transaction) => transaction.put('later', numberKey(number), new Uint8Array(1_000)))
  }
  const { report, bytes } = await copying
  await engine.close()
  lock.release()
  t.equal(report.damaged, 0)
  t.equal(checkStoreFile(join(target, 'store', 'data.mdb')).kind, 'sound')
  t.equal(statSync(join(target, 'store', 'data.mdb')).size, bytes)
  t.equal(statSync(target).mode & 0o777, 0o700)
  t.equal(statSync(join(target, 'store', 'data.mdb')).mode & 0o777, 0o600)
  t.same(linesOf(await exported(target)).slice(1), linesOf(await exported(data)).slice(1))
  await t.rejects(backUpStore(data, target), { code: 'FOLDER_NOT_EMPTY', remedy: 'give a new or empty folder' })
  mkdirSync(join(root, 'empty'))
  await backUpStore(data, join(root, 'empty'))
  t.ok(existsSync(join(root, 'empty', 'store', 'data.mdb')))
})
