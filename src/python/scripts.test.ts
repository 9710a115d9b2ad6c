import t from 'tap'
import { startPython } from './scripts.fixture.js'

t.setTimeout(120_000)

const SCRIPT = `# Script Name: Unit
import json
def convert(value, factor): return {'value': float(value) * factor}
def fail(): raise ValueError('no')
def say(): print('completed')
`

t.test('runners call Python, each waiting for its own answer', async (t) => {
  const python = startPython()
  t.teardown(() => python.stop())
  const early = await python.runner()
  const call = { kind: 'python', target: 'Unit.convert', arguments: '["2.5",2]' } as const
  t.match(await early.call(call), { failed: true, text: "Python script 'Unit' is not deployed" })
  t.equal(await python.scripts.pid(), undefined, 'there is no process without scripts')

  t.same(await python.scripts.add(SCRIPT), {
    kind: 'added',
    script: { name: 'Unit', code: SCRIPT, functions: ['convert', 'fail', 'say'] },
  })
  const late = await python.runner()
  const many = [early.call(call, 200), late.call(call, 200)]
  for (const report of await Promise.all(many)) t.match(report, { failed: false, text: '{"value":5.0}' })
  const failing = { kind: 'python', target: 'Unit.fail', arguments: '[]' } as const
  t.match(await late.call(failing), { failed: true, text: 'ValueError: no (Unit.fail, line 4)' })
  const route = { kind: 'llm', route: 'Model', method: 'generate', arguments: '{}' } as const
  t.match(await late.call(route), { failed: true, text: "Route 'Model' is not running" })
  await late.call({ kind: 'python', target: 'Unit.say', arguments: '[]' })
  t.same(python.printed, [{ script: 'Unit', text: 'completed\n', dropped: 0 }])
})

t.test('a package is tried for no longer than a call may take', async (t) => {
  const { scripts, stop } = startPython({ callMsMax: 300 })
  t.teardown(stop)
  const files = {
    'one.py': 'raise ValueError("no")',
    'slow.py': 'while True: pass',
    'two.py': 'raise ValueError("no")',
  }
  t.match(await scripts.install({ name: 'mixed', files }), { kind: 'done' })
  t.same(await scripts.importProblems(['one', 'two']), [
    "Module 'one' cannot be imported now: ValueError: no",
    "Module 'two' cannot be imported now: ValueError: no",
  ])
  t.same(await scripts.importProblems(['one', 'slow', 'two']), [
    "Module 'one' cannot be imported now: ValueError: no",
    "Module 'slow' cannot be imported now: Time limit of 300 ms exceeded",
  ])
})

t.test('the main thread deploys, lists, calls and removes', async (t) => {
  const python = startPython()
  t.teardown(() => python.stop())
  const { scripts } = python
  t.match(await scripts.add('def f(): pass'), { kind: 'refused', name: undefined, line: 1, message: /no name/ })
  t.equal(await scripts.pid(), undefined)
  t.match(await scripts.add('def f(): return 1', 'Cell'), { kind: 'added', script: { name: 'Cell' } })
  t.match(await scripts.add('# @name Alpha\r\ndef f():\r\n\treturn 2\r\n'), {
    kind: 'added',
    script: { name: 'Alpha' },
  })
  t.match(await scripts.add('# Script Name: Alpha\ndef f(:'), { kind: 'refused', name: 'Alpha', line: 2, column: 7 })
  t.same(
    scripts.list().map(({ name }) => name),
    ['Alpha', 'Cell'],
  )
  t.equal(await scripts.call('Alpha.f', []), '2')
  await t.rejects(scripts.call('Alpha.g', []), { message: /no function 'g'/ })
  t.equal(await scripts.remove('Alpha'), true)
  t.equal(await scripts.remove('Alpha'), false)
  await t.rejects(scripts.call('Alpha.f', []), { message: /'Alpha' is not deployed/ })
  t.same(python.logged, [])
})
