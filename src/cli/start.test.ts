import t from 'tap'
import { BrokerError } from '../base/errors.js'
import { silentLogger } from '../base/log.js'
import { runUntilStopped, startedBefore } from './start.js'
import type { StopSignal } from './stop-signals.js'

const NEVER = new Promise<never>(() => {})
const signal = (name: StopSignal): Promise<StopSignal> => Promise.resolve(name)

/** A broker that notes what it is told. */
function fakeBroker(stop: Promise<void>, failed: Promise<BrokerError> = NEVER) {
  const calls: string[] = []
  const broker = {
    failed,
    stop: () => {
      calls.push('stop')
      return stop
    },
    stopNow: async () => {
      calls.push('stopNow')
    },
  }
  return { broker, calls }
}

t.test('the first signal stops the broker in order', async (t) => {
  const { broker, calls } = fakeBroker(Promise.resolve())
  t.equal(await runUntilStopped(broker, { first: signal('SIGTERM'), second: NEVER }, silentLogger), 0)
  t.same(calls, ['stop'])
})

t.test('the second signal does not wait for the start', async (t) => {
  t.equal(await startedBefore(NEVER, Promise.resolve('started'), silentLogger), 'started')
  t.equal(await startedBefore(signal('SIGTERM'), NEVER, silentLogger), undefined)
  const failure = new Error('no port')
  await t.rejects(startedBefore(NEVER, Promise.reject(failure), silentLogger), failure)
  let fail: (error: Error) => void = () => {}
  const starting = new Promise<never>((_, reject) => {
    fail = reject
  })
  t.equal(await startedBefore(signal('SIGINT'), starting, silentLogger), undefined)
  fail(failure) // nobody is left to hear of it, which must not end the process in another way
  await new Promise((resolve) => setImmediate(resolve))
})

t.test('the second signal does not wait for it', async (t) => {
  const { broker, calls } = fakeBroker(NEVER)
  t.equal(await runUntilStopped(broker, { first: signal('SIGINT'), second: signal('SIGINT') }, silentLogger), 1)
  t.same(calls, ['stop', 'stopNow'])
})

t.test('a broker that can not go on is stopped, and says why', async (t) => {
  const error = new BrokerError('THREAD_UNRELIABLE', { kind: 'shard', index: 0, times: 5, seconds: 60 })
  const { broker, calls } = fakeBroker(NEVER, Promise.resolve(error))
  await t.rejects(runUntilStopped(broker, { first: NEVER, second: NEVER }, silentLogger), { code: 'THREAD_UNRELIABLE' })
  t.same(calls, ['stopNow'])
})

t.test('a broker that can not end either is not waited for', async (t) => {
  const held = new BrokerError('STORE_HELD', {})
  const failed = Promise.resolve(held)
  const first = fakeBroker(NEVER, failed)
  await t.rejects(runUntilStopped(first.broker, { first: NEVER, second: NEVER }, silentLogger), held)
  t.same(first.calls, [])
  let fail: (error: BrokerError) => void = () => {}
  const later = new Promise<BrokerError>((resolve) => {
    fail = resolve
  })
  const { broker, calls } = fakeBroker(NEVER, later)
  const stopping = runUntilStopped(broker, { first: signal('SIGTERM'), second: NEVER }, silentLogger)
  while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  fail(held)
  await t.rejects(stopping, held, 'while it stops')
})

t.test('a failure to stop is a failure', async (t) => {
  const { broker } = fakeBroker(Promise.reject(new Error('stuck')))
  await t.rejects(runUntilStopped(broker, { first: signal('SIGTERM'), second: NEVER }, silentLogger), {
    message: 'stuck',
  })
})
