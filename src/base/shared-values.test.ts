import { Worker } from 'node:worker_threads'
import t from 'tap'
import { encodeText, hashText } from './bytes.js'
import { SharedValues, SharedValuesReader } from './shared-values.js'

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString()

t.test('what was written last is read, by any thread that has the memory', async (t) => {
  const values = new SharedValues(1_048_576)
  values.put('a/b', encodeText('one'))
  values.put('a/c', encodeText('other'))
  const reader = new SharedValuesReader(values.memory)
  t.equal(text(reader.get('a/b')), 'one')
  values.put('a/b', encodeText('two'))
  t.equal(text(reader.get('a/b')), 'two')
  values.put('a/b', encodeText('x'.repeat(500)))
  t.equal(text(reader.get('a/b')), 'x'.repeat(500))
  t.equal(text(reader.get('a/c')), 'other')
  t.equal(reader.get('a'), undefined)
  values.put('empty', new Uint8Array(0))
  t.equal(reader.get('empty')?.length, 0)
  values.delete(encodeText('a/b'), 0, 3, hashText('a/b'))
  t.equal(reader.get('a/b'), undefined)
  t.equal(values.size, 2)
})

t.test('it grows with what is in it, and the old memory stays as it was', async (t) => {
  const values = new SharedValues(8_388_608)
  const before = values.memory
  for (let i = 0; i < 20_000; i++) values.put(`topic/${i}`, encodeText(`value ${i}`))
  t.not(values.memory, before)
  const reader = new SharedValuesReader(values.memory)
  for (let i = 0; i < 20_000; i += 7) t.equal(text(reader.get(`topic/${i}`)), `value ${i}`)
  t.equal(values.size, 20_000)
  t.equal(text(new SharedValuesReader(before).get('topic/0')), 'value 0')
})

t.test('values that change their size do not make it grow', async (t) => {
  const values = new SharedValues(8_388_608)
  for (let i = 0; i < 20_000; i++) values.put('one', new Uint8Array(i % 2 === 0 ? 10 : 5_000))
  t.equal(values.size, 1)
  t.equal(values.memory.byteLength, 65_536)
})

t.test('when it is full those go that were not written for the longest time', async (t) => {
  const values = new SharedValues(131_072)
  const kept = 'kept'
  for (let i = 0; i < 50_000; i++) {
    values.put(`topic/${i}`, encodeText(`value ${i}`))
    values.put(kept, encodeText(String(i)))
  }
  t.equal(values.memory.byteLength, 131_072)
  t.equal(text(values.get(kept)), '49999')
  t.equal(values.get('topic/0'), undefined)
  for (let i = 49_000; i < 50_000; i++) t.equal(text(values.get(`topic/${i}`)), `value ${i}`)
  t.equal(values.put('large', new Uint8Array(100_000)), false)
  t.equal(values.get('large'), undefined)
})

t.test('nobody reads a value that was never written, while they are written, moved and dropped', async (t) => {
  const values = new SharedValues(65_536)
  const state = new Int32Array(new SharedArrayBuffer(16))
  const names = Array.from({ length: 40 }, (_, i) => `sensor/${i}`)
  // each value is one letter many times, and begins with its own length
  const letters = (turn: number): Uint8Array => {
    const bytes = new Uint8Array(4 + ((turn * 7) % 4_000)).fill(65 + (turn % 26))
    new DataView(bytes.buffer).setInt32(0, bytes.length)
    return bytes
  }
  const worker = new Worker(new URL('./shared-values.fixture.js', import.meta.url), {
    workerData: { memory: values.memory, state: state.buffer, names },
  })
  const result = new Promise<{ reads: number; found: number; torn: number }>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  while (Atomics.load(state, 1) === 0) await new Promise<void>((resolve) => setImmediate(resolve))
  let turn = 0
  const until = Date.now() + 400
  while (Date.now() < until) {
    for (let i = 0; i < 2_000; i++, turn++) values.put(names[(turn * 31) % names.length], letters(turn))
  }
  Atomics.store(state, 0, 1)
  const { reads, found, torn } = await result
  t.equal(torn, 0)
  t.ok(found > 100, `${found} of ${reads} reads found something`)
})
