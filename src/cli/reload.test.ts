import { EventEmitter } from 'node:events'
import t from 'tap'
import { BrokerError } from '../base/errors.js'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { ReloadSignal } from './reload.js'

function setUp(reload: () => Promise<void>, terminals: readonly boolean[] = [false]) {
  const source = new EventEmitter()
  const logged: LogRecord[] = []
  const stops: string[] = []
  const left = [...terminals]
  const hasTerminal = () => (left.length > 1 ? left.shift()! : left[0])
  const handling = { reload, stop: () => stops.push('stop'), hasTerminal }
  const log = createSinkLogger({ level: 'info', areas: {} }, (record) => logged.push(record))
  const signal = new ReloadSignal(source, handling, log)
  const hangUp = () => source.emit('SIGHUP')
  return { source, signal, hangUp, logged, stops }
}

t.test('one reload at a time; signals that come meanwhile cause one more', async (t) => {
  const ends: (() => void)[] = []
  const { hangUp, signal } = setUp(() => new Promise((resolve) => ends.push(resolve)))
  hangUp()
  hangUp()
  hangUp()
  t.equal(ends.length, 1)
  ends[0]()
  await new Promise(setImmediate)
  t.equal(ends.length, 2)
  ends[1]()
  await signal.idle
  t.equal(ends.length, 2)
  hangUp()
  t.equal(ends.length, 3)
  ends[2]()
  await signal.idle
})

t.test('a configuration that is wrong is told, and the next signal reads it again', async (t) => {
  let reloads = 0
  const { hangUp, signal, logged } = setUp(async () => {
    reloads++
    throw new BrokerError('CONFIG_INVALID', { problem: 'merlot.yaml:3:1: a value is expected here' })
  })
  hangUp()
  await signal.idle
  t.match(logged, [{ level: 'error', area: 'config', message: /nothing has changed: merlot\.yaml:3:1: / }])
  hangUp()
  await signal.idle
  t.equal(reloads, 2)
})

t.test('a terminal that has gone ends the broker', async (t) => {
  const reload = async () => void t.fail('nothing is read')
  const { hangUp, stops, source, signal } = setUp(reload, [true, false])
  hangUp()
  t.same(stops, ['stop'])
  signal.close()
  t.equal(source.listenerCount('SIGHUP'), 0)
})

t.test('with a terminal that is still there, it was meant as a request to reload', async (t) => {
  let reloads = 0
  const { hangUp, stops, signal } = setUp(async () => {
    reloads++
  }, [true])
  hangUp()
  await signal.idle
  t.equal(reloads, 1)
  t.same(stops, [])
})
