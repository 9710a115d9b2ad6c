import t from 'tap'
import type { PackageFiles } from './python-package.js'
import { startSandbox } from './sandbox.fixture.js'

t.setTimeout(120_000) // the first start makes the memory snapshot

const python = startSandbox()
t.teardown(() => python.sandbox.stop())
const install = (name: string, files: PackageFiles) => python.sandbox.install({ name, files })

t.test('modules of a package import each other, and the standard library', async (t) => {
  const change = await install('shapes', {
    'shapes/__init__.py': [
      'from __future__ import annotations',
      'import sys, warnings',
      'from . import round as curved',
      'from .flat import *',
      'from .flat.square import Square as S',
      'import shapes.flat.square as square',
      'try:\n    import numpy\nexcept ImportError:\n    numpy = None',
      '__version__ = "1.0"',
      'old = sys.version_info < (3, 8)',
    ].join('\n'),
    'shapes/round.py': 'import math\nfrom .flat import area\ndef circle(r): return area(r, math.pi * r)\n',
    'shapes/flat/__init__.py':
      '__all__ = ["area", "square"]\nfrom ..deep.er import factor\ndef area(a, b): return a * b * factor\n',
    'shapes/flat/square.py': [
      'from dataclasses import dataclass',
      'from typing import ClassVar',
      'from . import area',
      '@dataclass(frozen=True)',
      'class Square:',
      '    side: "float"',
      '    sides: "ClassVar[int]" = 4',
      '    def area(self): return area(self.side, self.side)',
      '    def where(self): return self.__dict__',
    ].join('\n'),
    // without __init__.py
    'shapes/deep/er.py': 'factor = 1\nfrom shapes.flat import __name__ as partial\n',
    'beside.py': 'import shapes\ndef version(): return shapes.__version__\n',
    'beside/__init__.py': 'import shapes\nloaded = "folder"\ndef version(): return shapes.__version__\n',
  })
  t.same(change, { kind: 'done', reloaded: [] })
  const source = `
import shapes, beside
import shapes.flat.square as square
from shapes.round import circle
def round_one(): return round(circle(2), 2)
def square_one(): return square.Square(3).area(), shapes.S(3) == square.Square(3), shapes.square is square
def about(): return beside.version(), beside.loaded, shapes.old, shapes.numpy, shapes.area(2, 3)
def own(): return square.Square(3).where()
`
  t.same(await python.add('Uses', source), { kind: 'loaded', functions: ['round_one', 'square_one', 'about', 'own'] })
  t.equal(await python.call('Uses.round_one'), '12.57')
  t.equal(await python.call('Uses.square_one'), '[9,true,true]')
  t.equal(await python.call('Uses.about'), '["1.0","folder",false,null,6]')
  await t.rejects(python.call('Uses.own'), { message: "Attribute '__dict__' is not allowed (Uses.own, line 8)" })
  t.match(await python.add('Other', 'import shapes.none'), {
    message: "ModuleNotFoundError: No module named 'shapes.none'",
  })
  t.match(await python.add('Other', 'from shapes import none'), { message: /cannot import name 'none'/ })
  t.match(await python.add('Other', 'import numpy'), {
    message: "Module 'numpy' is not allowed: no package that is installed has it",
  })
})

t.test('modules that import each other', async (t) => {
  await install('ring', {
    'ring/__init__.py': 'from . import a\n',
    'ring/a.py': 'from . import b\nx = 1\n',
    'ring/b.py': 'from . import a\ndef f(): return a.x\n',
  })
  t.match(await python.add('Ring', 'from ring.b import f'), { kind: 'loaded' })
  t.equal(await python.call('Ring.f'), '1')
})

t.test('each script has modules of its own', async (t) => {
  await install('state', { 'state.py': 'count = 0\ndef next():\n    global count\n    count += 1\n    return count\n' })
  for (const name of ['One', 'Two']) await python.add(name, 'import state\ndef f(): return state.next()\n')
  t.same([await python.call('One.f'), await python.call('One.f'), await python.call('Two.f')], ['1', '2', '1'])
})

t.test('a script that has the name of a module stays whole when the package goes', async (t) => {
  const body = '    @dataclass\n    class Point:\n        x: "int" = 1\n    return Point().x\n'
  await python.add('Twin', `from dataclasses import dataclass\ndef f():\n${body}`)
  await install('twin', { 'Twin.py': 'x = 1' })
  await python.sandbox.uninstall('twin')
  t.equal(await python.call('Twin.f'), '1')
})

t.test('scripts that use a package follow it; others go on', async (t) => {
  await python.add('Unconcerned', 'count = 0\ndef f():\n    global count\n    count += 1\n    return count\n')
  await python.call('Unconcerned.f')
  await python.add(
    'Wants',
    'try:\n    import later\nexcept ImportError:\n    later = None\ndef f(): return later and later.x\n',
  )
  t.equal(await python.call('Wants.f'), 'null')
  t.same(await install('later', { 'later.py': 'x = 1' }), {
    kind: 'done',
    reloaded: [{ script: 'Wants', failure: undefined }],
  })
  t.equal(await python.call('Wants.f'), '1')
  await python.add('Needs', 'from later import x\ndef f(): return x\n')
  await install('later', { 'later.py': 'x = 2' })
  t.same([await python.call('Wants.f'), await python.call('Needs.f')], ['2', '2'])
  const reason = "Module 'later' is not allowed: no package that is installed has it"
  t.same(await python.sandbox.uninstall('later'), {
    kind: 'done',
    reloaded: [
      { script: 'Wants', failure: undefined },
      { script: 'Needs', failure: reason },
    ],
  })
  t.equal(await python.call('Wants.f'), 'null')
  await t.rejects(python.call('Needs.f'), { message: `Python script 'Needs' cannot be loaded: ${reason}` })
  t.match(await install('later', { 'later.py': 'x = 3' }), {
    reloaded: [{ script: 'Wants' }, { script: 'Needs', failure: undefined }],
  })
  t.equal(await python.call('Needs.f'), '3')
  t.equal(await python.call('Unconcerned.f'), '2')
  t.match(await install('another', { 'later.py': '' }), {
    message: /^package 'later', which is installed, has a module 'later', too/,
  })
})

t.test('after Python has ended, packages are there again before the scripts', async (t) => {
  const { pid } = python.sandbox
  if (pid === undefined) throw new Error('there is no process')
  await install('broken', { 'broken.py': 'raise ValueError("not today")' })
  t.match(await python.add('Broken', 'import broken'), { message: 'ValueError: not today' })
  process.kill(pid, 'SIGKILL')
  while (python.sandbox.pid === pid) await new Promise((resolve) => setImmediate(resolve))
  t.equal(await python.call('Needs.f'), '3')
  t.equal(await python.call('Uses.round_one'), '12.57')
})

t.test('packages and scripts of before are loaded once, in that order, when Python begins', async (t) => {
  const late = startSandbox()
  t.teardown(() => late.sandbox.stop())
  const source = 'import early\nprint("loaded")\ndef f(): return early.x\n'
  const installing = late.sandbox.install({ name: 'early', files: { 'early.py': 'x = 1' } })
  t.match(await late.sandbox.add('Kept', source, true), { kind: 'loaded' })
  t.same(await installing, { kind: 'done', reloaded: [] })
  t.equal(await late.call('Kept.f'), '1')
  t.same(late.printed, [['Kept', 'loaded\n']])
  t.same(late.warnings, [])
})

t.test('a script of before whose package is gone is told of, and works once it is there', async (t) => {
  const late = startSandbox()
  t.teardown(() => late.sandbox.stop())
  const source = 'import missing\ndef f(): return missing.x\n'
  t.match(await late.sandbox.add('Kept', source, true), { kind: 'refused' })
  await t.rejects(late.call('Kept.f'), { message: /^Python script 'Kept' cannot be loaded: Module 'missing' is not/ })
  t.match(await late.sandbox.install({ name: 'missing', files: { 'missing.py': 'x = 1' } }), {
    reloaded: [{ script: 'Kept', failure: undefined }],
  })
  t.equal(await late.call('Kept.f'), '1')
  late.sandbox.remove('Kept')
  await t.rejects(late.call('Kept.f'), { message: /is not deployed/ })
  t.same(await late.sandbox.uninstall('missing'), { kind: 'done', reloaded: [] })
})

t.test('a package that takes too long, or too much, harms the script that wants it', async (t) => {
  const small = startSandbox({ callMsMax: 300, memoryBytesMax: 256 * 1024 * 1024 })
  t.teardown(() => small.sandbox.stop())
  await small.add('Well', 'def f(): return 1')
  await small.sandbox.install({ name: 'slow', files: { 'slow.py': 'while True: pass' } })
  await small.sandbox.install({ name: 'hungry', files: { 'hungry.py': 'x = bytearray(400_000_000)' } })
  t.match(await small.add('A', 'import slow'), { kind: 'refused', message: /^Time limit of 300 ms exceeded/ })
  t.match(await small.add('A', 'import hungry'), { kind: 'refused', message: /memory limit of Python/ })
  t.equal(await small.call('Well.f'), '1')
})
