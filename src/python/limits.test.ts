/** A script that harms harms itself: its call fails, the others go on. */
import t from 'tap'
import { startSandbox } from './sandbox.fixture.js'

t.setTimeout(120_000)

const SCRIPT = `
import itertools, re, time
count = 0
def loop():
    while True: pass
def stubborn():
    while True:
        try:
            while True: pass
        except BaseException: pass
def in_c(): return sum(itertools.repeat(1))
def sleep(): time.sleep(60)
def hungry():
    kept = []
    while True: kept.append(bytearray(10_000_000))
def deep(): return deep()
def well():
    global count
    count += 1
    return count
`

t.test('an endless loop ends at the limit, and Python goes on with what it had', async (t) => {
  const python = startSandbox({ callMsMax: 300 })
  t.teardown(() => python.sandbox.stop())
  await python.add('Bad', SCRIPT)
  t.equal(await python.call('Bad.well'), '1')
  const { pid } = python.sandbox
  await t.rejects(python.call('Bad.loop'), { message: /^Time limit of 300 ms exceeded \(Bad.loop, line 5\)$/ })
  await t.rejects(python.call('Bad.sleep'), { message: /^Time limit of 300 ms exceeded \(Bad.sleep, line 12\)$/ })
  t.equal(await python.call('Bad.well'), '2')
  t.equal(python.sandbox.pid, pid, 'it is the same process')
})

t.test('what cannot be interrupted is killed; calls behind it are made by the next process', async (t) => {
  const python = startSandbox({ callMsMax: 300 })
  t.teardown(() => python.sandbox.stop())
  await python.add('Bad', SCRIPT)
  await python.add('Other', 'def f(x): return x')
  for (const name of ['stubborn', 'in_c']) {
    const { pid } = python.sandbox
    const killed = t.rejects(python.call(`Bad.${name}`), {
      message: /^Time limit of 300 ms exceeded; Python is started/,
    })
    const behind = [python.call('Other.f', 'a'), python.call('Bad.well')]
    await killed
    t.same(await Promise.all(behind), ['a', '1'], name)
    t.not(python.sandbox.pid, pid)
  }
  t.same(python.warnings, [])
})

t.test('a script cannot take more memory than the limit', async (t) => {
  const python = startSandbox({ memoryBytesMax: 256 * 1024 * 1024, callMsMax: 20_000 })
  t.teardown(() => python.sandbox.stop())
  await python.add('Bad', SCRIPT)
  const { pid } = python.sandbox
  await t.rejects(python.call('Bad.hungry'), { message: /^MemoryError: the memory limit of Python is reached/ })
  await t.rejects(python.call('Bad.deep'), { message: /^RecursionError/ })
  t.equal(await python.call('Bad.well'), '1')
  t.equal(python.sandbox.pid, pid, 'it is the same process')
})

t.test('when the process is killed from outside, scripts are loaded again', async (t) => {
  const python = startSandbox()
  t.teardown(() => python.sandbox.stop())
  await python.add('Bad', SCRIPT)
  const { pid } = python.sandbox
  if (pid === undefined) throw new Error('there is no process')
  const sleeping = t.rejects(python.call('Bad.sleep'), { message: /^Python ended during this call/ })
  const behind = python.call('Bad.well')
  process.kill(pid, 'SIGKILL')
  await sleeping
  t.equal(await behind, '1')
  t.equal(python.warnings.length, 1)
})
