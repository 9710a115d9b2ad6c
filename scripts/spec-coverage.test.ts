import t from 'tap'
import { COMPILED_TESTS, collectCoverage, coverageOf, isComplete, numbersIn, report } from './spec-coverage.js'

t.test('finds the numbers in calls, and only there', async (t) => {
  const source = `
    // statement 'MQTT-9.9.9-9' is only talked about
    statement('MQTT-3.1.0-1', 'one', async () => {})
    statement(['MQTT-3.1.0-2', 'MQTT-4.2-1'], 'two', {}, async () => {})
    statement311(\n 'MQTT-1.5.3-1', 'other numbering', async () => {})`
  t.same(numbersIn(source), { mqtt5: ['MQTT-3.1.0-1', 'MQTT-3.1.0-2', 'MQTT-4.2-1'], mqtt311: ['MQTT-1.5.3-1'] })
})

t.test('tells what is missing, unknown and excepted needlessly', async (t) => {
  const exceptions = [
    { number: 'MQTT-1-2', reason: 'client' },
    { number: 'MQTT-1-1', reason: 'client' },
  ]
  const coverage = coverageOf(
    'x',
    ['MQTT-1-1', 'MQTT-1-2', 'MQTT-1-3'],
    ['MQTT-1-1', 'MQTT-1-1', 'MQTT-7-7'],
    exceptions,
  )
  t.same(coverage.uncovered, ['MQTT-1-3'])
  t.same(coverage.unknown, ['MQTT-7-7'])
  t.same(coverage.needless, ['MQTT-1-1'])
  t.equal(isComplete(coverage), false)
  t.match(report(coverage), 'MQTT-1-2 excepted: client')
  t.ok(isComplete(coverageOf('y', ['MQTT-1-1'], ['MQTT-1-1'], [])))
})

t.test('every statement has a test or a reason', async (t) => {
  for (const coverage of await collectCoverage(COMPILED_TESTS)) {
    t.same(coverage.uncovered, [], `${coverage.title}: named by no test`)
    t.same(coverage.unknown, [], `${coverage.title}: no such statement`)
    t.same(coverage.needless, [], `${coverage.title}: excepted needlessly`)
  }
})
