import { statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { startSandbox } from './sandbox.fixture.js'
import { SnapshotFile } from './snapshot-file.js'

t.setTimeout(120_000) // the first start makes the memory snapshot

const python = startSandbox()
t.teardown(() => python.sandbox.stop())

t.test('values go in and out as the language says', async (t) => {
  const source = `
import datetime, decimal, collections
from collections import abc, namedtuple, deque
import collections.abc
Point = namedtuple('Point', 'x y')
def same(value): return value
def kind(value): return type(value).__name__
def none(): pass
def pair(): return 1, 'a'
def point(): return Point(1, 2)
def some(): return {'set': {1}, 'date': datetime.date(2026, 1, 2), 'price': decimal.Decimal('1.5')}
def mapping(): return isinstance({}, abc.Mapping) and isinstance([], collections.abc.Sequence)
def number(): return float('nan')
def thing(): return object()
def add(a, b): return float(a) + b
`
  t.match(await python.add('Values', source), { kind: 'loaded' })
  const cases: readonly (readonly [string, readonly unknown[], string])[] = [
    ['same', ['text'], 'text'],
    ['same', ['ü€😀\n'], 'ü€😀\n'],
    ['same', [''], ''],
    ['same', [1], '1'],
    ['same', [1.5], '1.5'],
    ['same', [true], 'true'],
    ['same', [null], 'null'],
    ['same', [{ a: [1, 'ü'] }], '{"a":[1,"ü"]}'],
    ['none', [], 'null'],
    ['pair', [], '[1,"a"]'],
    ['point', [], '[1,2]'],
    ['some', [], '{"set":[1],"date":"2026-01-02","price":1.5}'],
    ['mapping', [], 'true'],
    ['add', ['1.5', 2], '3.5'],
    ['kind', ['1'], 'str'],
    ['kind', [1], 'int'],
    ['kind', [1.5], 'float'],
    ['kind', [false], 'bool'],
  ]
  for (const [name, parameters, expected] of cases) {
    t.equal(await python.call(`Values.${name}`, ...parameters), expected, `${name} ${JSON.stringify(parameters)}`)
  }
  await t.rejects(python.call('Values.same', 'x'.repeat(17_000_000)), { message: /the arguments have more than/ })
  await t.rejects(python.call('Values.number'), { message: /^ValueError: .*JSON compliant.*\(Values.number\)$/ })
  await t.rejects(python.call('Values.thing'), { message: /a result of type 'object' cannot be returned/ })
})

t.test('data classes may name their types as text', async (t) => {
  const source = 'import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: "int"\ndef f(): return A(1).x'
  t.match(await python.add('Data', source), { kind: 'loaded' })
  t.equal(await python.call('Data.f'), '1')
})

t.test('failures say what and where', async (t) => {
  await python.add('Fails', 'def divide(x):\n    return 1 / x\n\ndef outer():\n    return divide(0)\n')
  await t.rejects(python.call('Fails.divide', 0), {
    message: 'ZeroDivisionError: division by zero (Fails.divide, line 2)',
  })
  await t.rejects(python.call('Fails.divide'), { message: /^TypeError: divide\(\) missing 1 required positional/ })
  await t.rejects(python.call('Fails.divid', 0), {
    message: "Python script 'Fails' has no function 'divid'; did you mean 'divide'?",
  })
  await t.rejects(python.call('Nobody.f'), { message: "Python script 'Nobody' is not deployed" })
  t.same(await python.add('Broken', 'def f(:\n    pass\n'), {
    kind: 'refused',
    message: 'invalid syntax',
    line: 1,
    column: 7,
  })
  t.match(await python.add('Broken', 'x = 1\nx = 1 / 0\n'), { kind: 'refused', message: /^ZeroDivision/, line: 2 })
  t.match(await python.add('Broken', 'raise SystemExit(1)'), { kind: 'refused', message: 'SystemExit: 1', line: 1 })
  t.match(await python.add('Broken', 'import nothing_like_it'), { message: "Module 'nothing_like_it' is not allowed" })
  t.same(python.warnings, [])
})

t.test('a script that is refused leaves the old one, one that is deployed again begins afresh', async (t) => {
  const counter = 'count = 0\ndef next():\n    global count\n    count += 1\n    return count\n'
  await python.add('Counter', counter)
  t.equal(await python.call('Counter.next'), '1')
  t.match(await python.add('Counter', 'def next(:'), { kind: 'refused' })
  t.equal(await python.call('Counter.next'), '2')
  await python.add('Counter', counter)
  t.equal(await python.call('Counter.next'), '1')
  python.sandbox.remove('Counter')
  await t.rejects(python.call('Counter.next'), { message: /is not deployed/ })
})

t.test('what a script prints comes with its name, and has a bound', async (t) => {
  const source =
    "def say(*words): print(*words, sep='-')\ndef flood():\n    for i in range(10000): print('0123456789')\n"
  await python.add('Speaks', source)
  await python.call('Speaks.say', 'ü😀', 1)
  await python.call('Speaks.flood')
  t.same(python.printed[0], ['Speaks', 'ü😀-1\n'])
  t.equal(python.printed[1][1].length, 16_384)
})

t.test('a damaged memory snapshot is made again', async (t) => {
  const folder = t.testdir()
  const { path } = new SnapshotFile(folder)
  writeFileSync(path, 'damaged')
  const repaired = startSandbox({ folder })
  t.teardown(() => repaired.sandbox.stop())
  t.match(await repaired.add('A', 'def f(): return 1'), { kind: 'loaded' })
  t.equal(await repaired.call('A.f'), '1')
  t.ok(statSync(path).size > 1_000_000)
  if (process.platform !== 'win32') t.equal(statSync(path).mode & 0o77, 0, 'only for its owner')
  t.equal(repaired.warnings.length, 1)
})

t.test('random numbers differ from start to start', async (t) => {
  const seen = new Set<string>()
  for (let start = 0; start < 2; start++) {
    const another = startSandbox()
    await another.add('Dice', 'import random\ndef roll(): return random.random()')
    seen.add(await another.call('Dice.roll'))
    another.sandbox.stop()
  }
  t.equal(seen.size, 2)
})
