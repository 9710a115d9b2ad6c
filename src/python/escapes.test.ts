/**
 * Known ways out of Python in pyodide. First as scripts have them: the guard refuses each, and says so. Then with every
 * module allowed and no guard at all: nothing outside of the process can be reached.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { startSandbox, type TestSandbox } from './sandbox.fixture.js'

t.setTimeout(120_000) // the first start makes the memory snapshot

/** Body of a function → what is said. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['import os', /Module 'os' is not allowed/],
  ['import os.path', /Module 'os' is not allowed/],
  ['from os import system', /Module 'os' is not allowed/],
  ['import sys', /Module 'sys' is not allowed/],
  ['import subprocess', /Module 'subprocess' is not allowed/],
  ['import socket', /Module 'socket' is not allowed/],
  ['import http.client', /Module 'http' is not allowed/],
  ['import urllib.request', /Module 'urllib' is not allowed/],
  ['import importlib', /Module 'importlib' is not allowed/],
  ['import builtins', /Module 'builtins' is not allowed/],
  ['import ctypes', /Module 'ctypes' is not allowed/],
  ['import gc', /Module 'gc' is not allowed/],
  ['import inspect', /Module 'inspect' is not allowed/],
  ['import types', /Module 'types' is not allowed/],
  ['import threading', /Module 'threading' is not allowed/],
  ['import signal', /Module 'signal' is not allowed/],
  ['import pickle', /Module 'pickle' is not allowed/],
  ['import js', /Module 'js' is not allowed/],
  ['import pyodide_js', /Module 'pyodide_js' is not allowed/],
  ['import pyodide', /Module 'pyodide' is not allowed/],
  ['from pyodide.code import run_js', /Module 'pyodide' is not allowed/],
  ['from pyodide.ffi import JsProxy', /Module 'pyodide' is not allowed/],
  ['import _pyodide', /Module '_pyodide' is not allowed/],
  ['import _pyodide_core', /Module '_pyodide_core' is not allowed/],
  ['import micropip', /Module 'micropip' is not allowed/],
  ["__import__('os')", /Module 'os' is not allowed/],
  ["open('/etc/passwd')", /'open' is not allowed/],
  ["exec('import os')", /'exec' is not allowed/],
  ["eval('1')", /'eval' is not allowed/],
  ["compile('1', 'x', 'eval')", /'compile' is not allowed/],
  ["getattr(object, '__sub' + 'classes__')()", /Attribute '__subclasses__' is not allowed/],
  ["hasattr(len, '__self__')", /Attribute '__self__' is not allowed/],
  ["setattr(print, '__code__', None)", /Attribute '__code__' is not allowed/],
  ["vars(print)['x']", /'vars' is only allowed for objects/],
  ['import random\n return random._os', /has no attribute '_os'/],
  ['import statistics\n return statistics.sys', /has no attribute 'sys'/],
  ['import json\n return json.codecs', /has no attribute 'codecs'/],
  ['import collections\n return collections._sys', /has no attribute '_sys'/],
  ['from json import codecs', /cannot import name 'codecs'/],
  ['import operator\n return operator.attrgetter', /has no attribute 'attrgetter'/],
  ['import string\n return string.Formatter', /has no attribute 'Formatter'/],
  ['import typing\n return typing.get_type_hints', /has no attribute 'get_type_hints'/],
  ['from . import x', /no package to import from/],
]

/** Refused when the script is deployed. */
const REFUSED_TEXTS: readonly string[] = [
  '().__class__.__mro__',
  '().__class__.__base__.__subclasses__()',
  'print.__globals__',
  'len.__self__',
  'print.__code__',
  'print.__closure__',
  'object.__dict__',
  'object.__getattribute__',
  'ValueError().__traceback__.tb_frame',
  '(x for x in ()).gi_frame',
  'type.mro',
  '__builtins__',
  '__loader__',
]

const python = startSandbox({ callMsMax: 5_000 })
t.teardown(() => python.sandbox.stop())

t.test('the guard refuses what leads out', async (t) => {
  for (const [body, reason] of REFUSED) {
    const loading = await python.add('Escape', `def attempt():\n ${body}\n`)
    t.equal(loading.kind, 'loaded', body)
    await t.rejects(python.call('Escape.attempt'), { message: reason }, body)
  }
  for (const expression of REFUSED_TEXTS) {
    const loading = await python.add('Escape', `def attempt():\n    return ${expression}\n`)
    t.match(loading, { kind: 'refused', message: /is not allowed/, line: 2 }, expression)
  }
  const matching = 'def attempt(x):\n    match x:\n        case object(__globals__=found): return found\n'
  t.match(await python.add('Escape', matching), { kind: 'refused', message: /'__globals__' is not allowed/ })
})

/** What modules of packages may import besides, of which they get some names only. */
const REDUCED = ['import sys', 'import types', 'import threading']

const REFUSED_IN_PACKAGES: readonly (readonly [string, RegExp])[] = [
  ...REFUSED.filter(([body]) => !REDUCED.includes(body) && body !== 'from . import x'),
  ...REFUSED_TEXTS.filter((text) => !text.startsWith('__')).map(
    (text) => [`return ${text}`, /is not allowed/] as const,
  ),
  ['import sys\n return sys.modules', /has no attribute 'modules'/],
  ['import sys\n return sys._getframe()', /has no attribute '_getframe'/],
  ['from sys import modules', /cannot import name 'modules'/],
  ['import types\n return types.CodeType', /has no attribute 'CodeType'/],
  ['import types\n return types.sys', /has no attribute 'sys'/],
  ['import threading\n return threading.Thread', /has no attribute 'Thread'/],
  ['import threading\n return threading._sys', /has no attribute '_sys'/],
  ['import io\n return io.open("/etc/passwd")', /has no attribute 'open'/],
  ['import io\n return io.FileIO("/etc/passwd")', /has no attribute 'FileIO'/],
  ['import warnings\n return warnings.sys', /has no attribute 'sys'/],
  ['import warnings\n return warnings.catch_warnings()._module', /has no attribute 'catch_warnings'/],
  ['import contextlib\n return contextlib.sys', /has no attribute 'sys'/],
  ['import traceback\n return traceback.walk_stack(None)', /has no attribute 'walk_stack'/],
  ['import weakref\n return weakref.sys', /has no attribute 'sys'/],
  ['import urllib\n return urllib.request', /has no attribute 'request'/],
  ['import urllib.parse\n return urllib.request', /has no attribute 'request'/],
  ['import importlib.resources', /Module 'importlib' is not allowed/],
  ['import pkgutil', /Module 'pkgutil' is not allowed/],
  ["globals()['__builtins__']['__import__']('os')", /Module 'os' is not allowed/],
  ["globals()['__builtins__']['exec']('import os')", /'exec' is not allowed/],
  ["__import__('os', {'__package__': 'sys'}, None, ['path'], 0)", /Module 'os' is not allowed/],
  ["__import__('', {'__package__': 'os'}, None, ['path'], 1)", /Module 'os' is not allowed/],
  ["__import__('modules', {'__package__': 'sys'}, None, [], 1)", /Module 'sys' is not allowed/],
  ['from .. import x', /relative import beyond top-level package/],
]

t.test('the guard refuses the same in packages', async (t) => {
  const pack = (text: string) => ({ name: 'evil', files: { 'evil/__init__.py': '', 'evil/ways.py': text } })
  for (const [body, reason] of REFUSED_IN_PACKAGES) {
    t.match(await python.sandbox.install(pack(`def attempt():\n ${body}\n`)), { kind: 'done' }, body)
    t.match(
      await python.add('User', 'from evil import ways\ndef run(): return ways.attempt()\n'),
      { kind: 'loaded' },
      body,
    )
    await t.rejects(python.call('User.run'), { message: reason }, body)
    // and where the module is loaded
    await python.sandbox.install(pack(`def attempt():\n ${body}\nattempt()\n`))
    t.match(await python.add('User', 'import evil.ways'), { kind: 'refused', message: reason }, body)
  }
  for (const text of ['x = __builtins__', '__loader__', 'print.__code__ = None', 'del print.__globals__']) {
    await python.sandbox.install(pack(text))
    t.match(await python.add('User', 'import evil.ways'), {
      message: /'evil' cannot be used: .* \(evil\/ways.py, line 1\)$/,
    })
  }
  for (const module of ['json', 'os', 'js', 'pyodide', '_pyodide_core', 'micropip']) {
    const change = await python.sandbox.install({ name: 'evil', files: { [`${module}.py`]: 'x = 1' } })
    t.match(change, { kind: 'refused', message: new RegExp(`'${module}' would stand in for one of Python's own`) })
  }
  await python.sandbox.uninstall('evil')
})

t.test('scripts do not see each other', async (t) => {
  await python.add('First', 'secret = 42\ndef set(x):\n    global secret\n    secret = x\ndef get(): return secret\n')
  await python.add('Second', 'def get(): return secret\ndef change():\n    import json\n    json.loads = None\n')
  await t.rejects(python.call('Second.get'), { message: /name 'secret' is not defined/ })
  t.match(await python.add('Third', 'import First'), { kind: 'refused', message: "Module 'First' is not allowed" })
  await python.call('First.set', 43)
  t.equal(await python.call('First.get'), '43', 'a module keeps its globals between calls')
})

t.test('what a script changes in a module, others do not see', async (t) => {
  const use = `
import collections.abc, decimal, json, random
def text(): return json.dumps([1])
def third(): return decimal.Decimal(1) / 3 == decimal.Decimal('0.' + 28 * '3')
def seeded(): return random.Random(7).random() == random.random()
def kinds(): return isinstance([], collections.abc.Sequence), hasattr(collections, 'mine')
def packed():
    try:
        import shared
        return shared.text()
    except ImportError: return None
`
  await python.sandbox.install({
    name: 'shared',
    files: { 'shared.py': 'import json, urllib.parse as p\ndef text(): return json.dumps([1]) + p.quote(" ")\n' },
  })
  await python.add('Patient', use)
  const patch = `
import collections, decimal, json, random
json.dumps = lambda value: 'changed'
collections.mine = 1
collections.abc = None
decimal.getcontext().prec = 3
random.seed(7)
`
  await python.sandbox.install({
    name: 'changes',
    files: { 'changes.py': `${patch}import urllib.parse\nurllib.parse.quote = urllib.parse = None\n` },
  })
  t.match(await python.add('Changes', `import changes\n${use}\nrandom.seed(7)`), { kind: 'loaded' })
  for (const script of ['Patient', 'Afterwards']) {
    if (script === 'Afterwards') await python.add(script, use)
    const answers = ['text', 'third', 'seeded', 'packed', 'kinds'].map((name) => python.call(`${script}.${name}`))
    t.same(await Promise.all(answers), ['[1]', 'true', 'false', '[1]%20', '[true,false]'], script)
  }
  t.equal(await python.call('Changes.text'), 'changed', 'the script whose package it is sees it')
  t.equal(await python.call('Changes.third'), 'false')
  t.equal(await python.call('Changes.seeded'), 'true')
  await t.rejects(python.call('Changes.packed'), { message: /'NoneType' object has no attribute 'quote'/ })
  for (const name of ['Patient', 'Changes', 'Afterwards']) python.sandbox.remove(name)
  for (const name of ['shared', 'changes']) await python.sandbox.uninstall(name)
})

t.test('what a script changes in the classes of json, the guard does not use', async (t) => {
  const patch = `
import json
json.JSONEncoder.encode = lambda self, value: 'changed'
json.JSONEncoder.iterencode = json.JSONDecoder.decode = lambda self, *values: ['changed']
`
  await python.add('Patch', patch)
  t.same(await python.add('Afterwards', 'def f(x): return [x]'), { kind: 'loaded', functions: ['f'] })
  t.equal(await python.call('Afterwards.f', 1), '[1]')
})

t.test('answers that cannot be read are failures', async (t) => {
  const open = startSandbox({ extraModules: ['builtins'] })
  t.teardown(() => open.sandbox.stop())
  const message = /an answer that cannot be read/
  const source = `
import builtins
builtins.getattr(print, '__globals__')['_answer'] = lambda mark, text: '+0\\nnonsense'
`
  t.match(await open.add('Speaks', source), { kind: 'loaded' })
  t.match(await open.add('Next', 'x = 1'), { kind: 'refused', message })
  t.match(await open.sandbox.install({ name: 'any', files: { 'any.py': '' } }), { kind: 'refused', message })
})

t.test('objects of scripts that are not what they seem do not lead the guard astray', async (t) => {
  const { pid } = python.sandbox
  const source = `
class Name(str):
    asked = 0
    def __str__(self):
        Name.asked += 1
        return 'x' if Name.asked == 1 else '__globals__'
def name(): return getattr(print, Name('x'))
class Hidden(Exception):
    __traceback__ = property(lambda self: 1 / 0)
def raises(): raise Hidden('of mine')
class Separator(str):
    def join(self, values): return self
    def __add__(self, other): return self
    def __radd__(self, other): return self
    def __getitem__(self, part): return 5
def separated(): print('a', 'b', sep=Separator('-'))
def ended(): print('a', end=Separator('.'))
def long(): raise ValueError('x' * 1_000_000)
def wide(): raise type('x' * 1_000_000, (Exception,), {})
`
  await python.add('Strange', source)
  await t.rejects(python.call('Strange.name'), { message: "AttributeError: 'function' object has no attribute 'x'" })
  await t.rejects(python.call('Strange.raises'), { message: /^Hidden: of mine \(Strange.raises, line 10\)$/ })
  t.equal(await python.call('Strange.separated'), 'null')
  t.equal(await python.call('Strange.ended'), 'null')
  t.same(python.printed.slice(-2), [
    ['Strange', 'a-b\n'],
    ['Strange', 'a.'],
  ])
  for (const name of ['long', 'wide']) {
    const failure = await python.call(`Strange.${name}`).catch((thrown: Error) => thrown.message)
    t.match(failure, /^\w+: x|^x+/)
    t.ok(failure.length < 5_000, `a reason of ${failure.length} characters`)
    t.match(failure, new RegExp(`… \\(Strange.${name}, line`), 'and still says where')
  }
  t.equal(python.sandbox.pid, pid, 'Python goes on')
})

/** Every module; `builtins` gives the real `exec`, and that is the end of the guard. */
const ALL_MODULES = ['builtins', 'sys', 'os', 'importlib', 'gc', 'ctypes', 'socket', 'subprocess', 'types', 'inspect']
const JAVASCRIPT_MODULES = ['js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core', '_pyodide_importhook']

/** Bodies of functions whose result, if there is one, shows something from outside. */
function attacks(port: number, file: string): readonly string[] {
  const known = `
import sys, gc
def everything():
    seen, found, queue = set(), [], gc.get_objects()
    while queue:
        item = queue.pop()
        if id(item) in seen or len(seen) > 300000: continue
        seen.add(id(item))
        if type(item).__name__.startswith('Js'): found.append(item)
        queue.extend(gc.get_referents(item))
    if not any(type(item).__name__ == 'JsProxy' for item in found): raise KeyboardInterrupt
    return found
`
  return [
    `return open(${JSON.stringify(file)}).read()`,
    `import os; return os.listdir(${JSON.stringify(join(file, '..'))})`,
    "import os; return os.popen('echo out').read()",
    "import os; code = os.system('echo out'); return 'nothing' if code else code",
    "import subprocess; return subprocess.run(['echo', 'out'], capture_output=True).stdout.decode()",
    'import os; return os.fork()',
    "import os; return os.environ.get('MERLOT_ESCAPE_TEST') or 'nothing'",
    `import socket; s = socket.create_connection(('127.0.0.1', ${port}), 1); s.send(b'out'); return 'sent'`,
    `import urllib.request; return urllib.request.urlopen('http://127.0.0.1:${port}/').read().decode()`,
    "import ctypes; pid = ctypes.CDLL(None).getpid(); return 'nothing' if pid == 42 else str(pid)",
    "import ctypes; return ctypes.CDLL(None).system(b'echo out') or 'nothing'",
    'import js; return str(js.process.pid)',
    "import js; return js.eval('1 + 1')",
    `import js; return js.fetch('http://127.0.0.1:${port}/')`,
    "from pyodide.code import run_js; return run_js('process.pid')",
    'import pyodide_js; return str(pyodide_js.version)',
    `import pyodide_js; pyodide_js.mountNodeFS('/mnt', '/etc'); return open('/mnt/passwd').read()`,
    `from pyodide.http import open_url; return open_url('http://127.0.0.1:${port}/').read()`,
    "import _pyodide_core; return _pyodide_core.raw_call('process.pid')",
    "import importlib; return importlib.import_module('js').process.pid",
    `${known}
for proxy in everything():
    try: return 'reached ' + str(proxy.constructor.constructor('return process.pid')())
    except BaseException: pass
return 'nothing'`,
    `${known}
for proxy in everything():
    for name in ('process', 'require', 'fs', '_module', 'globalThis'):
        try: return 'reached ' + name + str(getattr(proxy, name).getuid())
        except BaseException: pass
return 'nothing'`,
    `${known}
for proxy in everything():
    try:
        proxy.FS.mkdir('/host')
        proxy.FS.mount(proxy.FS.filesystems.NODEFS, proxy.FS.filesystems, '/host')
        return open('/host' + ${JSON.stringify(file)}).read()
    except BaseException: pass
    try:
        proxy.mountNodeFS('/host2', '/'); return open('/host2' + ${JSON.stringify(file)}).read()
    except BaseException: pass
return 'nothing'`,
    `${known}
import os
for depth in range(3, 20):
    try:
        os.write(depth, b'x')
        return 'wrote to ' + str(depth)
    except BaseException: pass
return 'nothing'`,
  ]
}

t.test('without the guard, nothing outside of the process can be reached', async (t) => {
  const folder = t.testdir({ 'secret.txt': 'the content of a file' })
  const file = join(folder, 'secret.txt')
  writeFileSync(file, 'the content of a file')
  let connections = 0
  const server = net.createServer((socket) => {
    connections++
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  process.env.MERLOT_ESCAPE_TEST = 'of the broker'
  const extraModules = [...ALL_MODULES, ...JAVASCRIPT_MODULES, 'urllib', 'http']
  const open = startSandbox({ callMsMax: 20_000, extraModules })
  t.teardown(() => open.sandbox.stop())
  for (const body of attacks((server.address() as AddressInfo).port, file)) {
    t.equal(await outcomeOf(open, body), 'nothing', body.trim().split('\n').at(-2)?.trim() ?? body)
  }
  t.equal(connections, 0)
})

/** Runs it with the real builtins. @returns what it reached; `nothing` if it failed too */
async function outcomeOf(python: TestSandbox, body: string): Promise<string> {
  const lines = body.replaceAll('\n', '\n ')
  const source = JSON.stringify(`def attack():\n ${lines}\n`)
  await python.add('Attack', `import builtins\nspace = {}\nbuiltins.exec(${source}, space)\nrun = space['attack']\n`)
  // that, and not to have found the way into JavaScript that there is, both come as a time limit
  return python.call('Attack.run').catch((thrown: Error) => {
    return thrown.message.startsWith('Time limit') ? 'it took too long to be sure' : 'nothing'
  })
}
