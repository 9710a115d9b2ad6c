/** What every engine must do: the same cases for all of them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Test } from 'tap'
import { BrokerError } from '../src/base/errors.js'
import type { StoreEngine, StoreReader, StoreTransaction } from './engine.js'
import { KEY_BYTES_MAX } from './store-keys.js'

/** @param bytesMax 0 for no limit */
export type OpenEngine = (bytesMax: number) => StoreEngine

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString()

/** Keys and values of a table as text. */
export function contents(reader: StoreReader, table: string, options = {}): string[] {
  return Array.from(reader.range(table, options), ({ key, value }) => `${textOf(key)}=${textOf(value)}`)
}

export function put(engine: StoreEngine, table: string, ...pairs: readonly string[]): void {
  engine.commit((transaction) => {
    for (const pair of pairs) {
      const [key, value] = pair.split('=')
      transaction.put(table, bytes(key), bytes(value))
    }
  })
}

export async function engineCases(t: Test, openEngine: OpenEngine): Promise<void> {
  const test = async (name: string, body: (t: Test, engine: StoreEngine) => void, bytesMax = 0): Promise<void> => {
    await t.test(name, async (t) => {
      const engine = openEngine(bytesMax)
      body(t, engine)
      await engine.close()
    })
  }

  await test('what is put is found, replaced and deleted', (t, engine) => {
    t.equal(engine.get('a', bytes('k')), undefined)
    put(engine, 'a', 'k=1')
    put(engine, 'b', 'k=2')
    t.equal(textOf(engine.get('a', bytes('k'))), '1')
    t.equal(textOf(engine.get('b', bytes('k'))), '2')
    put(engine, 'a', 'k=3')
    t.equal(textOf(engine.get('a', bytes('k'))), '3')
    t.equal(engine.count('a'), 1)
    engine.commit((transaction) => {
      t.equal(transaction.delete('a', bytes('k')), true)
      t.equal(transaction.delete('a', bytes('k')), false)
      t.equal(transaction.delete('none', bytes('k')), false)
    })
    t.equal(engine.get('a', bytes('k')), undefined)
    t.equal(engine.count('a'), 0)
    t.equal(engine.count('none'), 0)
    t.same(engine.tables, ['a', 'b'])
  })

  await test('a transaction sees what it has done', (t, engine) => {
    put(engine, 'a', 'x=1', 'y=2')
    engine.commit((transaction) => {
      transaction.put('a', bytes('z'), bytes('3'))
      transaction.delete('a', bytes('x'))
      transaction.put('new', bytes('n'), bytes('4'))
      t.same(contents(transaction, 'a'), ['y=2', 'z=3'])
      t.equal(textOf(transaction.get('a', bytes('z'))), '3')
      t.equal(transaction.get('a', bytes('x')), undefined)
      t.equal(transaction.count('a'), 2)
      t.same(transaction.tables, ['a', 'new'])
    })
    t.same(contents(engine, 'a'), ['y=2', 'z=3'])
  })

  await test('a transaction that throws has done nothing', (t, engine) => {
    put(engine, 'a', 'x=1', 'y=2')
    const failing = (work: (transaction: StoreTransaction) => void): void =>
      engine.commit((transaction) => {
        work(transaction)
        throw new Error('on purpose')
      })
    const wanted = { message: 'on purpose' }
    t.throws(() => failing((tx) => tx.put('a', bytes('x'), bytes('changed'))), wanted)
    t.throws(() => failing((tx) => tx.put('a', bytes('z'), bytes('new'))), wanted)
    t.throws(() => failing((tx) => tx.delete('a', bytes('x'))), wanted)
    t.throws(() => failing((tx) => tx.deletePrefix('a', bytes(''))), wanted)
    t.throws(() => failing((tx) => tx.put('lost', bytes('z'), bytes('new'))), wanted)
    t.same(contents(engine, 'a'), ['x=1', 'y=2'])
    t.same(engine.tables, ['a'])
    put(engine, 'other', 'z=5')
    t.same(contents(engine, 'lost'), [], 'the table that was not made is not another one')
    put(engine, 'lost', 'z=6')
    t.same([contents(engine, 'other'), contents(engine, 'lost')], [['z=5'], ['z=6']])
  })

  await test('a transaction is used only while it runs, and alone', (t, engine) => {
    let kept: StoreTransaction | undefined
    engine.commit((transaction) => {
      kept = transaction
      t.throws(() => put(engine, 'a', 'x=1'), { message: /transaction within/ })
    })
    t.throws(() => kept?.put('a', bytes('x'), bytes('1')), { message: /has ended/ })
    t.throws(() => kept?.delete('a', bytes('x')), { message: /has ended/ })
    t.throws(() => kept?.get('a', bytes('x')), { message: /has ended/ })
    t.same(engine.tables, [])
    put(engine, 'a', 'x=1')
    t.same(contents(engine, 'a'), ['x=1'])
  })

  await test('ranges', (t, engine) => {
    put(engine, 'a', 'a=1', 'ab=2', 'abc=3', 'b=4', 'ba=5')
    const range = (options: object): string => contents(engine, 'a', options).join(' ')
    t.equal(range({}), 'a=1 ab=2 abc=3 b=4 ba=5')
    t.equal(range({ from: bytes('ab') }), 'ab=2 abc=3 b=4 ba=5')
    t.equal(range({ from: bytes('aba') }), 'abc=3 b=4 ba=5')
    t.equal(range({ prefix: bytes('ab') }), 'ab=2 abc=3')
    t.equal(range({ prefix: bytes('') }), 'a=1 ab=2 abc=3 b=4 ba=5')
    t.equal(range({ prefix: bytes('a'), from: bytes('ab') }), 'ab=2 abc=3')
    t.equal(range({ prefix: bytes('b'), from: bytes('a') }), 'b=4 ba=5')
    t.equal(range({ prefix: bytes('a'), from: bytes('b') }), '')
    t.equal(range({ limit: 2 }), 'a=1 ab=2')
    t.equal(range({ limit: 0 }), '')
    t.equal(range({ prefix: bytes('b'), limit: 9 }), 'b=4 ba=5')
    t.equal(range({ from: bytes('z') }), '')
    t.same(contents(engine, 'none'), [])
  })

  await test('keys come in the order of their bytes', (t, engine) => {
    const keys = [[0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 0], [255, 255]]
    engine.commit((transaction) => {
      for (const key of keys.toReversed()) transaction.put('a', new Uint8Array(key), bytes(''))
    })
    t.same(
      Array.from(engine.range('a'), ({ key }) => [...key]),
      keys,
    )
  })

  await test('tables come in order', (t, engine) => {
    for (const name of ['log.2', 'b', 'log.10', 'a']) put(engine, name, 'x=1')
    t.same(engine.tables, ['a', 'b', 'log.10', 'log.2'])
  })

  await test('a long range, while it is being changed', (t, engine) => {
    const count = 600
    const key = (number: number): Uint8Array => bytes(String(number).padStart(6, '0'))
    engine.commit((transaction) => {
      for (let number = 0; number < count; number++) transaction.put('a', key(number), bytes('x'))
    })
    let seen = 0
    for (const entry of engine.range('a')) {
      engine.commit((transaction) => transaction.delete('a', entry.key))
      seen++
    }
    t.equal(seen, count)
    t.equal(engine.count('a'), 0)
  })

  await test('prefixes that end in the greatest byte', (t, engine) => {
    const keys = [[1], [1, 255], [1, 255, 0], [1, 255, 255], [2], [255], [255, 255], [255, 255, 7]]
    engine.commit((transaction) => {
      for (const key of keys) transaction.put('a', Uint8Array.from(key), bytes('x'))
    })
    const range = (...prefix: number[]): number[][] =>
      Array.from(engine.range('a', { prefix: Uint8Array.from(prefix) }), ({ key }) => [...key])
    t.same(range(1, 255), keys.slice(1, 4))
    t.same(range(1, 255, 255), keys.slice(3, 4))
    t.same(range(255, 255), keys.slice(6))
    t.same(range(255), keys.slice(5))
    engine.commit((transaction) => t.equal(transaction.deletePrefix('a', Uint8Array.of(1, 255)), 3))
    engine.commit((transaction) => t.equal(transaction.deletePrefix('a', Uint8Array.of(255, 255)), 2))
    t.same(range(), [[1], [2], [255]])
  })

  await test('deletes by prefix', (t, engine) => {
    engine.commit((transaction) => {
      for (let number = 0; number < 2_000; number++) transaction.put('a', bytes(`b${number}`), bytes('x'))
      for (const key of ['a', 'c']) transaction.put('a', bytes(key), bytes('stays'))
    })
    engine.commit((transaction) => {
      t.equal(transaction.deletePrefix('a', bytes('b19')), 111)
      t.equal(transaction.deletePrefix('a', bytes('b')), 1_889)
      t.equal(transaction.deletePrefix('a', bytes('b')), 0)
      t.equal(transaction.deletePrefix('none', bytes('b')), 0)
    })
    t.same(contents(engine, 'a'), ['a=stays', 'c=stays'])
    engine.commit((transaction) => t.equal(transaction.deletePrefix('a', bytes('')), 2))
    t.equal(engine.count('a'), 0)
  })

  await test('keys of 1 byte to the largest', (t, engine) => {
    const keys = [1, 2, 511, 512, KEY_BYTES_MAX - 1, KEY_BYTES_MAX].map((length) => new Uint8Array(length).fill(200))
    engine.commit((transaction) => {
      for (const key of keys) transaction.put('a', key, bytes(String(key.length)))
    })
    for (const key of keys) t.equal(textOf(engine.get('a', key)), String(key.length))
    const found = Array.from(engine.range('a'), ({ key }) => key.length)
    t.same(
      found,
      keys.map((key) => key.length),
    )
    for (const length of [0, KEY_BYTES_MAX + 1]) {
      const wrong = new Uint8Array(length)
      t.throws(() => engine.get('a', wrong), { name: 'RangeError' })
      t.throws(() => engine.commit((transaction) => transaction.put('a', wrong, wrong)), { name: 'RangeError' })
      t.throws(() => engine.commit((transaction) => transaction.delete('a', wrong)), { name: 'RangeError' })
    }
  })

  await test('values of 0 bytes to 20 MB', (t, engine) => {
    const lengths = [0, 1, 2_000, 2_100, 4_096, 65_536, 1_048_576, 1_048_577, 20_000_000]
    const value = (length: number): Uint8Array => new Uint8Array(length).fill(length % 251)
    for (const length of lengths) {
      engine.commit((transaction) => {
        transaction.put('a', bytes(`k${length}`), value(length))
        const found = transaction.get('a', bytes(`k${length}`))
        t.equal(found && Buffer.compare(found, value(length)), 0, `${length} bytes in the transaction`)
      })
      const found = engine.get('a', bytes(`k${length}`))
      t.equal(found && Buffer.compare(found, value(length)), 0, `${length} bytes`)
    }
    let seen = 0
    for (const entry of engine.range('a')) {
      if (Buffer.compare(entry.value, value(Number(textOf(entry.key)?.slice(1)))) === 0) seen++
    }
    t.equal(seen, lengths.length)
  })

  await test('keys and values may be in shared memory, and change afterwards', (t, engine) => {
    const shared = new Uint8Array(new SharedArrayBuffer(3_000_000))
    shared.fill(1)
    engine.commit((transaction) => {
      for (const length of [0, 1, 100, 5_000, 1_048_576, 2_000_000]) {
        transaction.put('a', bytes(`k${length}`), shared.subarray(10, 10 + length))
      }
      transaction.put('a', shared.subarray(0, 8), bytes('key in shared memory'))
      shared.fill(2)
    })
    for (const length of [0, 1, 100, 5_000, 1_048_576, 2_000_000]) {
      const found = engine.get('a', bytes(`k${length}`))
      t.equal(found?.length, length)
      t.ok(found?.every((byte) => byte === 1))
    }
    t.equal(textOf(engine.get('a', new Uint8Array(8).fill(1))), 'key in shared memory')
    t.equal(textOf(engine.get('a', shared.fill(1).subarray(0, 8))), 'key in shared memory')
  })

  await test('what is read is a copy', (t, engine) => {
    put(engine, 'a', 'x=1')
    engine.get('a', bytes('x'))?.fill(0)
    for (const { value } of engine.range('a')) value.fill(0)
    t.same(contents(engine, 'a'), ['x=1'])
  })

  const limit = 1_000_000
  await test(
    'beyond its limit it takes nothing, and gives up what it has',
    (t, engine) => {
      const value = new Uint8Array(10_000)
      let stored = 0
      const fill = (): void => {
        for (; ; stored++) engine.commit((transaction) => transaction.put('a', bytes(`k${stored}`), value))
      }
      t.throws(fill, { code: 'STORE_FULL' })
      t.ok(stored > 50 && stored <= 100, `${stored} stored`)
      t.throws(fill, { code: 'STORE_FULL' })
      t.equal(engine.count('a'), stored)
      engine.commit((transaction) => {
        for (let number = 0; number < 20; number++) transaction.delete('a', bytes(`k${number}`))
      })
      const before = stored
      t.throws(fill, { code: 'STORE_FULL' })
      t.ok(stored - before >= 10, `${stored - before} more after 20 were deleted`)
      t.throws(() => engine.commit((transaction) => transaction.put('a', bytes('big'), new Uint8Array(limit))), {
        code: 'STORE_FULL',
      })
    },
    limit,
  )

  await test('random transactions do what a map does', (_t, engine) => {
    let tables = 0
    fc.assert(
      fc.property(fc.array(transactions, { maxLength: 12 }), (steps) => {
        const table = `random.${tables++ % 8}`
        engine.commit((transaction) => transaction.deletePrefix(table, bytes('')))
        runAgainstModel(engine, table, steps)
      }),
      { numRuns: 50 },
    )
  })

  await t.test('a closed store', async (t) => {
    const engine = openEngine(0)
    put(engine, 'a', 'x=1')
    await engine.close()
    await engine.close()
    t.throws(() => engine.get('a', bytes('x')), { message: /closed/ })
    t.throws(() => put(engine, 'a', 'x=2'), { message: /closed/ })
    t.throws(() => contents(engine, 'a'), { message: /closed/ })
    t.throws(() => engine.size(), { message: /closed/ })
  })
}

const key = fc
  .oneof(
    { weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: KEY_BYTES_MAX }).map((length) => new Uint8Array(length)) },
  )
  .map((found) => found.map((byte) => byte % 5))
const value = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ max: 9_000, min: 0 }).map((n) => new Uint8Array(n)),
)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deletePrefix' as const), key }) },
)
const transactions = fc.record({
  steps: fc.array(step, { maxLength: 20 }),
  fails: fc.nat(3).map((number) => number === 0),
  from: key,
  prefix: key,
  limit: fc.nat(30),
})

type Model = Map<string, string>
type RandomTransaction = typeof transactions extends fc.Arbitrary<infer T> ? T : never

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

function runAgainstModel(engine: StoreEngine, table: string, random: readonly RandomTransaction[]): void {
  let model: Model = new Map()
  for (const { steps, fails, from, prefix, limit } of random) {
    const changed: Model = new Map(model)
    const onPurpose = new Error('on purpose')
    try {
      engine.commit((transaction) => {
        for (const step of steps) applyTo(transaction, table, changed, step)
        assert.deepEqual(found(transaction, table), expected(changed))
        if (fails) throw onPurpose
      })
      model = changed
    } catch (error) {
      if (error !== onPurpose) throw error
    }
    assert.equal(engine.count(table), model.size)
    assert.deepEqual(found(engine, table), expected(model))
    const bounded = expected(model).filter(([key]) => key >= hex(from) && key.startsWith(hex(prefix)))
    assert.deepEqual(found(engine, table, { from, prefix, limit }), bounded.slice(0, limit))
  }
}

function applyTo(
  transaction: StoreTransaction,
  table: string,
  model: Model,
  step: RandomTransaction['steps'][number],
): void {
  switch (step.kind) {
    case 'put':
      transaction.put(table, step.key, step.value)
      model.set(hex(step.key), hex(step.value))
      break
    case 'delete':
      assert.equal(transaction.delete(table, step.key), model.delete(hex(step.key)))
      break
    case 'deletePrefix': {
      const gone = [...model.keys()].filter((key) => key.startsWith(hex(step.key)))
      for (const key of gone) model.delete(key)
      assert.equal(transaction.deletePrefix(table, step.key), gone.length)
      break
    }
  }
}

function found(reader: StoreReader, table: string, options = {}): [string, string][] {
  return Array.from(reader.range(table, options), ({ key, value }) => [hex(key), hex(value)])
}

function expected(model: Model): [string, string][] {
  return [...model].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Whether this is the refusal of a store without room. */
export function isFull(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'STORE_FULL'
}
