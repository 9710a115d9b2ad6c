import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { createDoorbellMemory, Doorbell, Sleeper } from './doorbell.js'
import { createEnd } from './reactor.fixture.js'
import { Reactor } from './reactor.js'
import { readRecord, writeRecord } from './ring.fixture.js'
import { createRingMemory, RingConsumer, RingProducer } from './ring.js'

/** What only a lost wake-up would let pass. */
const DEADLINE_MS = 20_000

function deadline(what: string): { promise: Promise<never>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: the thread sleeps on`)), DEADLINE_MS)
  })
  promise.catch(() => {})
  return { promise, clear: () => clearTimeout(timer) }
}

async function within<Value>(what: string, value: Promise<Value>): Promise<Value> {
  const { promise, clear } = deadline(what)
  try {
    return await Promise.race([value, promise])
  } finally {
    clear()
  }
}

t.test('doorbell', async (t) => {
  const memory = createDoorbellMemory()
  const word = new Int32Array(memory)
  const bell = new Doorbell(memory)
  const sleeper = new Sleeper(memory)
  bell.ring()
  t.equal(word[0], 0, 'nobody sleeps')

  let woken = 0
  sleeper.announce()
  t.equal(word[0], 1)
  sleeper.sleep(() => woken++)
  await new Promise(setImmediate)
  t.equal(woken, 0)
  bell.ring()
  bell.ring()
  await within(
    'rung',
    until(() => woken > 0),
  )
  t.equal(woken, 1)
  t.equal(word[0], 0, 'awake: further writers need not ring')

  sleeper.announce()
  bell.ring()
  sleeper.sleep(() => woken++)
  await within(
    'rung between announce and sleep',
    until(() => woken > 1),
  )

  sleeper.announce()
  sleeper.cancel()
  t.equal(word[0], 0)
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

t.test('no wake-up is lost between two threads', async (t) => {
  await pingPong(t, 10_000, () => false)
})

t.test('nor with pauses, after which both sides sleep', async (t) => {
  await pingPong(t, 300, (number) => number % 3 === 0)
})

/** One number at a time goes to a worker and back. @param pauses whether to let both sides fall asleep first */
async function pingPong(t: Test, count: number, pauses: (number: number) => boolean): Promise<void> {
  const [there, back] = [createRingMemory(4_096), createRingMemory(4_096)]
  const [here, far] = [createDoorbellMemory(), createDoorbellMemory()]
  const workerData = { incoming: there, outgoing: back, doorbell: far, otherDoorbell: here }
  const worker = new Worker(new URL('./reactor.fixture.js', import.meta.url), { workerData })
  t.teardown(() => worker.terminate())
  const exited = once(worker, 'exit')
  await once(worker, 'message')
  const producer = new RingProducer(there)
  const bell = new Doorbell(far)
  let expected = 0
  let finish: () => void = () => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const send = (): void => {
    writeRecord(producer, expected, 24)
    producer.publish()
    bell.ring()
  }
  const memory = { incoming: back, outgoing: createRingMemory(4_096), doorbell: here, otherDoorbell: far }
  const reactor = createEnd(memory, (number) => {
    if (number !== expected) throw new Error(`${number} came instead of ${expected}`)
    expected++
    if (expected === count) finish()
    else if (pauses(number)) setTimeout(send, 2)
    else send()
    return undefined
  })
  reactor.start()
  send()
  await within(`${count} round trips`, done)
  t.equal(expected, count)
  reactor.stop()
  worker.postMessage('end')
  await exited
}

/** A reactor whose work and rings are at the hands of the test. */
function manual(): {
  reactor: Reactor
  state: { work: number; congested: boolean; rounds: number; flushes: number; input: boolean }
  bell: Doorbell
} {
  const state = { work: 0, congested: false, rounds: 0, flushes: 0, input: false }
  const memory = createDoorbellMemory()
  const reactor = new Reactor(
    memory,
    () => {
      state.rounds++
      if (state.work === 0) return 0
      state.work--
      return 8
    },
    () => {
      state.flushes++
      return state.congested
    },
    () => state.input,
  )
  return { reactor, state, bell: new Doorbell(memory) }
}

t.test('settle tells when there is nothing left, and whether there was anything', async (t) => {
  const { reactor, state } = manual()
  reactor.start()
  t.teardown(() => reactor.stop())
  t.equal(await within('idle', reactor.settle()), false)
  state.work = 5
  t.equal(await within('busy', reactor.settle()), true)
  t.equal(state.work, 0, 'all of it was done')
  t.equal(await within('idle again', reactor.settle()), false)
  const [first, second] = [reactor.settle(), reactor.settle()]
  t.same(await within('two at once', Promise.all([first, second])), [false, false])
})

t.test('settle waits while a ring is too full, and while there is input', async (t) => {
  const { reactor, state } = manual()
  reactor.start()
  t.teardown(() => reactor.stop())
  let settled = false
  state.congested = true
  const settling = reactor.settle().then(() => {
    settled = true
  })
  const flushes = state.flushes
  await within(
    'polled while congested',
    until(() => state.flushes > flushes + 3),
  )
  t.notOk(settled)
  state.congested = false
  state.input = true
  const rounds = state.rounds
  await within(
    'input',
    until(() => state.rounds > rounds + 3),
  )
  t.notOk(settled, 'a ring still has something')
  state.input = false
  await within('free', settling)
})

t.test('an idle reactor sleeps; a doorbell or a poke wakes it', async (t) => {
  const { reactor, state, bell } = manual()
  reactor.start()
  t.teardown(() => reactor.stop())
  const asleep = async (): Promise<number> => {
    for (let rounds = -1; rounds !== state.rounds; ) {
      rounds = state.rounds
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    }
    return state.rounds
  }
  const before = await asleep()
  bell.ring()
  await within(
    'rung',
    until(() => state.rounds > before),
  )
  const again = await asleep()
  const flushes = state.flushes
  reactor.poke()
  t.equal(state.flushes, flushes + 1, 'what was written outside of a round goes out at once')
  await within(
    'poked',
    until(() => state.rounds > again),
  )
  const third = await asleep()
  bell.ring()
  await within(
    'rung after a poke has woken it',
    until(() => state.rounds > third),
  )
  reactor.stop()
  const last = await asleep()
  bell.ring()
  reactor.poke()
  t.equal(await asleep(), last, 'stopped')
})

t.test('a reader that is behind does not stop what comes in', async (t) => {
  const [incoming, outgoing] = [createRingMemory(4_096), createRingMemory(4_096)]
  const [doorbell, otherDoorbell] = [createDoorbellMemory(), createDoorbellMemory()]
  const reactor = createEnd({ incoming, outgoing, doorbell, otherDoorbell }, (number) => number)
  const producer = new RingProducer(incoming)
  const consumer = new RingConsumer(outgoing)
  reactor.start()
  t.teardown(() => reactor.stop())
  const count = 1_000
  const seen: number[] = []
  for (let number = 0; number < count; number++) writeRecord(producer, number, 24)
  producer.publish()
  new Doorbell(doorbell).ring()
  await within(
    'all echoed',
    until(() => {
      producer.publish()
      consumer.drain((bytes, ints, at) => seen.push(readRecord(bytes, ints, at)), 100)
      return seen.length === count
    }),
  )
  t.same(
    seen,
    Array.from({ length: count }, (_, number) => number),
  )
})
