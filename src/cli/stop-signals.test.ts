import { EventEmitter } from 'node:events'
import t from 'tap'
import { StopSignals } from './stop-signals.js'

t.test('the first signal, the second, then those of the system', async (t) => {
  const source = new EventEmitter()
  const signals = new StopSignals(source)
  source.emit('SIGTERM', 'SIGTERM')
  t.equal(await signals.first, 'SIGTERM')
  t.equal(source.listenerCount('SIGINT'), 1, 'still listening')
  source.emit('SIGINT', 'SIGINT')
  t.equal(await signals.second, 'SIGINT')
  t.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0)
})

t.test('close() leaves nothing behind', async (t) => {
  const source = new EventEmitter()
  new StopSignals(source).close()
  t.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0)
})

t.test('a signal may be taken from elsewhere', async (t) => {
  const signals = new StopSignals(new EventEmitter())
  signals.take('SIGHUP')
  t.equal(await signals.first, 'SIGHUP')
  t.ok(signals.isStopping)
  signals.close()
})
