import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { StoredDefinition } from '../src/contracts/lot.js'
import { saveDefinitions, storedDefinitions } from './definitions.js'
import { TABLE } from './engine.js'
import { storedSessions } from './store-contents.js'
import { backUpStore, compactStore } from './store-copy.js'
import { exportStore } from './store-export.js'
import { importStore } from './store-import.js'
import { inspectStore } from './store-inspect.js'
import { ALIVE_MS, openEngine, writeStore } from './store-tools.fixture.js'
import { verifyStore } from './store-verify.js'

const TEXT = 'DEFINE ACTION A\n\tPUBLISH TOPIC "ä" WITH "\u2028"\n'
const DEFINITIONS: readonly StoredDefinition[] = [
  { key: 'action/A', value: Buffer.from(TEXT) },
  { key: 'action/B', value: Buffer.from('\ufeffwith a byte order mark') },
  { key: 'env/EMPTY', value: Buffer.alloc(0) },
  { key: 'model/M', value: Buffer.from([0, 255, 128]) },
]
const nothing = (): void => {}

/** A store with a little of everything. */
async function writeAll(data: string, definitions = DEFINITIONS): Promise<string> {
  await writeStore(data)
  const engine = openEngine(data)
  saveDefinitions(engine, definitions)
  await engine.close()
  return data
}

async function definitionsIn(data: string): Promise<StoredDefinition[]> {
  const engine = openEngine(data)
  const found = [...storedDefinitions(engine, (what) => t.fail(what))]
  await engine.close()
  return found.map(({ key, value }) => ({ key, value: Buffer.from(value) }))
}

async function exported(data: string, damage: string[] = []): Promise<string> {
  let text = ''
  const write = async (lines: string): Promise<void> => {
    text += lines
  }
  await exportStore(data, { write, nowMs: ALIVE_MS, onDamage: (what) => damage.push(what) })
  return text
}

t.test('inspect counts them by kind, and verify looks at each', async (t) => {
  const data = await writeAll(t.testdir({}))
  t.match(await inspectStore(data), {
    definitions: { action: 2, env: 1, model: 1 },
    tables: { definitions: 4, sessions: 2 },
    damaged: 0,
  })
  t.match(await verifyStore(data, nothing), { damaged: 0, values: 19 })
})

t.test('export and import: the same again', async (t) => {
  const root = t.testdir({})
  const text = await exported(await writeAll(join(root, 'a')))
  const lines = text.split('\n')
  t.same(
    lines.slice(1, 5).map((line) => JSON.parse(line) as unknown),
    [
      { type: 'definition', key: 'action/A', text: TEXT },
      { type: 'definition', key: 'action/B', text: '\ufeffwith a byte order mark' },
      { type: 'definition', key: 'env/EMPTY', text: '' },
      { type: 'definition', key: 'model/M', bytes: 'AP+A' },
    ],
  )
  t.same(JSON.parse(lines.at(-2)!), { type: 'end', definitions: 4, sessions: 2, retained: 2, messages: 3 })

  const file = join(root, 'store.jsonl')
  writeFileSync(file, text)
  const data = join(root, 'b')
  t.match(await importStore(file, data, { merge: false, bytesMax: 0 }), { definitions: 4, sessions: 2 })
  t.same(await definitionsIn(data), DEFINITIONS)
  t.match(await verifyStore(data, nothing), { damaged: 0 })
})

t.test('import into a store that has some', async (t) => {
  const root = t.testdir({})
  const file = join(root, 'store.jsonl')
  const only = join(root, 'only')
  const engine = openEngine(only)
  saveDefinitions(engine, DEFINITIONS.slice(0, 2))
  await engine.close()
  writeFileSync(file, await exported(only))
  await t.rejects(importStore(file, only, { merge: false, bytesMax: 0 }), {
    code: 'STORE_NOT_EMPTY',
    message: /2 definitions/,
  })
  const data = await writeAll(join(root, 'a'), DEFINITIONS.slice(1))
  t.match(await importStore(file, data, { merge: true, bytesMax: 0 }), { definitions: 2 }, 'the same one is no other')
  t.same(await definitionsIn(data), DEFINITIONS)

  const changed = openEngine(data)
  saveDefinitions(changed, [{ key: 'action/B', value: Buffer.from('other') }])
  await changed.close()
  await t.rejects(importStore(file, data, { merge: true, bytesMax: 0 }), {
    code: 'IMPORT_INVALID',
    message: /^line 3 of .*: the store has another definition action\/B already/,
  })
})

t.test('a session without its user is for whoever has the name where it comes to', async (t) => {
  const root = t.testdir({})
  const file = join(root, 'store.jsonl')
  for (const key of ['user/ann', 'user/bob']) {
    const name = key.replace('/', '-')
    const text = await exported(await writeAll(join(root, `from-${name}`), [{ key, value: Buffer.from('{}') }]))
    writeFileSync(file, text.replace('"userName":"ann"', '"userName":"ann","createdAt":"2025"'))
    const data = join(root, name)
    await importStore(file, data, { merge: false, bytesMax: 0 })
    const engine = openEngine(data)
    const [pump] = [...storedSessions(engine, (what) => t.fail(what))].filter(({ clientId }) => clientId === 'pump')
    await engine.close()
    t.match(pump.owner, { userName: 'ann', createdAt: key === 'user/ann' ? '2025' : undefined })
  }
})

t.test('import: lines that are not valid', async (t) => {
  const root = t.testdir({})
  const file = join(root, 'store.jsonl')
  const data = join(root, 'b')
  const header = { merlotStore: 1, exported: 'x', aliveMs: 1 }
  const end = { type: 'end', definitions: 1, sessions: 0, retained: 0, messages: 0 }
  const attempt = (...lines: object[]): Promise<unknown> => {
    writeFileSync(file, [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
    return importStore(file, data, { merge: false, bytesMax: 0 })
  }
  const good = { type: 'definition', key: 'a', text: 'x' }
  const cases: [object[], RegExp][] = [
    [[{ ...good, key: 7 }, end], /line 2 .*key must be text/],
    [[{ ...good, key: '' }, end], /its key is empty/],
    [[{ ...good, key: 'x'.repeat(1_901) }, end], /its key has 1901 bytes, more than 1900/],
    [[{ ...good, key: '\udc00' }, end], /its key is no text/],
    [[{ ...good, bytes: '' }, end], /either text or bytes/],
    [[{ type: 'definition', key: 'a' }, end], /either text or bytes/],
    [[{ ...good, text: 1 }, end], /text must be text/],
    [[{ ...good, text: '\ud800' }, end], /text must be text/],
    [[{ type: 'definition', key: 'a', bytes: '*' }, end], /bytes must be base64/],
    [[good, good, { ...end, definitions: 2 }], /line 3 .*a second definition a/],
    [[good, { ...end, definitions: 2 }], /line 3 .*missing/],
    [[good, { ...end, definitions: undefined }], /line 3 .*too many/],
    [[{ ...end, definitions: '1' }], /definitions must be a whole number/],
  ]
  for (const [lines, message] of cases) await t.rejects(attempt(...lines), { code: 'IMPORT_INVALID', message })
  t.match(await attempt({ ...end, definitions: undefined }), { definitions: 0 }, 'none may stay unsaid')
})

t.test('a damaged one is named by verify and export, and left out', async (t) => {
  const data = await writeAll(t.testdir({}))
  const engine = openEngine(data)
  engine.commit((transaction) => {
    const value = transaction.get(TABLE.definitions, Buffer.from('action/A'))!
    value[10] ^= 4
    transaction.put(TABLE.definitions, Buffer.from('action/A'), value)
  })
  await engine.close()
  const what = 'the definition action/A has a wrong checksum'
  t.match(await verifyStore(data, nothing), { damaged: 1, lines: [what] })
  t.match(await inspectStore(data), { damaged: 1, definitions: { action: 1, env: 1, model: 1 } })
  const damage: string[] = []
  const text = await exported(data, damage)
  t.same(damage, [what])
  t.match(text, /"definitions":3,/)
})

t.test('backup and compact have them', async (t) => {
  const root = t.testdir({})
  const data = await writeAll(join(root, 'a'))
  await backUpStore(data, join(root, 'copy'))
  t.same(await definitionsIn(join(root, 'copy')), DEFINITIONS)
  await compactStore(data)
  t.same(await definitionsIn(data), DEFINITIONS)
})
