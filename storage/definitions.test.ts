import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { DefinitionChange } from '../src/contracts/lot.js'
import { definitionKey, definitionValue, kindOfDefinition, saveDefinitions, storedDefinitions } from './definitions.js'
import { type StoreEngine, type StoreReader, TABLE } from './engine.js'
import { openLmdbEngine } from './lmdb-engine.js'
import { MemoryEngine } from './memory-engine.js'
import { migrate, versionOf } from './store-version.js'

const change = (key: string, text?: string): DefinitionChange => ({
  key,
  value: text === undefined ? undefined : Buffer.from(text),
})

/** `key=value`, and `! what` for damage. */
function found(reader: StoreReader): string[] {
  const damage: string[] = []
  const all = [...storedDefinitions(reader, (what) => damage.push(`! ${what}`))]
  return [...all.map(({ key, value }) => `${key}=${Buffer.from(value)}`), ...damage]
}

async function inBoth(
  t: Test,
  name: string,
  body: (t: Test, engine: StoreEngine) => void,
  bytesMax = 0,
): Promise<void> {
  await t.test(name, async (t) => {
    const engines = [
      new MemoryEngine({ bytesMax }),
      openLmdbEngine(join(t.testdir({}), 'store'), { bytesMax, reserveBytes: 65_536 }),
    ]
    for (const engine of engines) {
      body(t, engine)
      await engine.close()
    }
  })
}

t.test('definitions', async (t) => {
  await inBoth(t, 'are put, replaced and deleted, several in one transaction', (t, engine) => {
    t.same(found(engine), [])
    saveDefinitions(engine, [change('model/b', 'B'), change('action/ä', 'A'), change('env/x', '')])
    t.same(found(engine), ['action/ä=A', 'env/x=', 'model/b=B'])
    saveDefinitions(engine, [change('model/b'), change('model/none'), change('env/x', '1'), change('env/x', '2')])
    t.same(found(engine), ['action/ä=A', 'env/x=2'])
    saveDefinitions(engine, [])
    t.same(found(engine), ['action/ä=A', 'env/x=2'])
  })

  await inBoth(t, 'a change that cannot be made changes nothing', (t, engine) => {
    saveDefinitions(engine, [change('a', '1')])
    for (const key of ['', 'x'.repeat(1_901), 'ä'.repeat(951), 'half \ud800']) {
      t.throws(() => saveDefinitions(engine, [change('b', '2'), change(key, '3')]), { name: 'RangeError' })
      t.throws(() => saveDefinitions(engine, [change('a'), change(key)]), { name: 'RangeError' })
    }
    const tooLarge = { key: 'c', value: new Uint8Array(67_108_865) }
    t.throws(() => saveDefinitions(engine, [change('b', '2'), tooLarge]), { name: 'RangeError' })
    t.same(found(engine), ['a=1'])
    saveDefinitions(engine, [change('x'.repeat(1_900), '4'), change('ä'.repeat(950), '5'), change('😀', '6')])
    t.equal(found(engine).length, 4)
  })

  await inBoth(
    t,
    'without room nothing is put, and all can be deleted',
    (t, engine) => {
      const large = 'x'.repeat(20_000)
      let count = 0
      const fill = (): void => {
        for (; count < 1_000; count++) saveDefinitions(engine, [change(`d/${count}`, large)])
      }
      t.throws(fill, { code: 'STORE_FULL' })
      const before = found(engine)
      t.throws(() => saveDefinitions(engine, [change('d/0'), change('d/1', `${large}${large}${large}`)]), {
        code: 'STORE_FULL',
      })
      t.same(found(engine), before)
      saveDefinitions(
        engine,
        before.map((_, index) => change(`d/${index}`)),
      )
      t.same(found(engine), [])
      t.doesNotThrow(() => saveDefinitions(engine, [change('a', large)]), 'and then there is room again')
    },
    500_000,
  )

  await inBoth(t, 'what is damaged is told and left out', (t, engine) => {
    saveDefinitions(engine, [change('a', '1'), change('b', '2'), change('c', '3')])
    const stored = (key: string): Uint8Array => engine.get(TABLE.definitions, Buffer.from(key)) ?? new Uint8Array(0)
    const flipped = stored('a')
    flipped[flipped.length - 1] ^= 1
    const longKey = Buffer.from('y'.repeat(1_901))
    engine.commit((transaction) => {
      transaction.put(TABLE.definitions, Buffer.from('a'), flipped)
      transaction.put(TABLE.definitions, Buffer.from('d'), stored('b'))
      transaction.put(TABLE.definitions, Buffer.from('e'), new Uint8Array(3))
      transaction.put(TABLE.definitions, Buffer.from([0xff]), definitionValue(Buffer.from([0xff]), stored('b')))
      transaction.put(TABLE.definitions, longKey, definitionValue(longKey, stored('b')))
    })
    t.same(found(engine), [
      'b=2',
      'c=3',
      '! the definition a has a wrong checksum',
      '! the definition d has a wrong checksum',
      '! the definition e has a wrong checksum',
      `! the definition ${longKey} has a key of 1901 bytes`,
      '! a definition has the key ff, which is no UTF-8',
    ])
    saveDefinitions(engine, [change('a', '4'), change('d'), change('e')])
    t.same(found(engine).slice(0, 3), ['a=4', 'b=2', 'c=3'])
  })
})

t.test('a thousand changes are one commit', async (t) => {
  const engine = new MemoryEngine()
  let commits = 0
  const counting: StoreEngine = Object.assign(Object.create(engine) as MemoryEngine, {
    commit: (...parameters: Parameters<MemoryEngine['commit']>) => {
      commits++
      engine.commit(...parameters)
    },
  })
  const changes = Array.from({ length: 1_000 }, (_, number) => change(`action/${number}`, `text ${number}`))
  saveDefinitions(counting, changes)
  t.equal(commits, 1)
  t.equal(engine.count(TABLE.definitions), 1_000)
})

t.test('a store of before opens as it is, and gets its table when it is needed', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const engine = openLmdbEngine(folder, { bytesMax: 0 })
  migrate(engine, folder)
  t.same(engine.tables, ['meta'])
  const version = versionOf(engine, folder)
  await engine.close()

  const reopened = openLmdbEngine(folder, { bytesMax: 0 })
  t.equal(migrate(reopened, folder), version)
  t.same(found(reopened), [])
  saveDefinitions(reopened, [change('a')])
  t.same(reopened.tables, ['meta'], 'deleting what is not there makes none')
  saveDefinitions(reopened, [change('a', '1')])
  await reopened.close()

  const again = openLmdbEngine(folder, { bytesMax: 0 })
  t.equal(migrate(again, folder), version)
  t.same(found(again), ['a=1'])
  await again.close()
})

t.test('keys', async (t) => {
  t.same(definitionKey('aä'), Buffer.from('aä'))
  t.equal(kindOfDefinition('action/a/b'), 'action')
  t.equal(kindOfDefinition('whole'), 'whole')
  t.throws(() => definitionKey(''), { message: 'the key of a definition is empty' })
})
