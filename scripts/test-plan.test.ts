import t from 'tap'
import { planProcesses } from './test-plan.js'

t.test('files of some folders share a process, and what takes long comes first', async (t) => {
  const files = [
    'dist/workers/storage.test.js',
    'dist/src/mqtt/varint.test.js',
    'dist/src/lot/check/check.test.js',
    'dist/src/mqtt/frame.test.js',
    'dist/scripts/tutorial.test.js',
    'dist/src/lot-host/host.test.js',
  ]
  t.same(planProcesses(files), [
    ['dist/scripts/tutorial.test.js'],
    ['dist/src/lot-host/host.test.js'],
    ['dist/src/lot/check/check.test.js'],
    ['dist/src/mqtt/frame.test.js', 'dist/src/mqtt/varint.test.js'],
    ['dist/workers/storage.test.js'],
  ])
  t.same(planProcesses(files).flat().sort(), [...files].sort())
})
