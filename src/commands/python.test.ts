import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { PythonPackage } from '../python/python-package.js'
import { scriptName } from '../python/script.js'
import { wheelFile, wheelOf } from '../python/wheel.fixture.js'
import { startCentre } from './centre.fixture.js'
import type { PythonScripts } from './python-library.js'

const SCRIPT = '# Script Name: Maths\ndef double(x):\n    return x * 2\n'
const CALLER =
  'DEFINE ACTION Caller\nON TOPIC "a" DO\n    CALL PYTHON "Maths.double" WITH (PAYLOAD) RETURN AS {v}\n    PUBLISH TOPIC "b" WITH {v}'

/** Python that understands nothing but `wrong`. */
class FakePython implements PythonScripts {
  readonly loaded = new Map<string, string>()
  readonly packages = new Map<string, PythonPackage>()

  async add(text: string, fallbackName?: string): ReturnType<PythonScripts['add']> {
    const name = scriptName(text) ?? fallbackName
    await new Promise((resolve) => setImmediate(resolve))
    if (name === undefined) return { kind: 'refused', name, message: 'the script has no name', line: 0, column: 0 }
    if (text.includes('wrong')) return { kind: 'refused', name, message: 'invalid syntax', line: 2, column: 5 }
    this.loaded.set(name, text)
    return {
      kind: 'added',
      script: { name, code: text, functions: [...text.matchAll(/def (\w+)/g)].map(([, f]) => f!) },
    }
  }

  async remove(name: string): Promise<boolean> {
    return this.loaded.delete(name)
  }

  keepPackage(made: PythonPackage): void {
    this.packages.set(made.name, made)
  }

  async install(made: PythonPackage): ReturnType<PythonScripts['install']> {
    if ('wrong.py' in made.files) return { kind: 'refused', message: 'not that one' }
    this.packages.set(made.name, made)
    return { kind: 'done', reloaded: [{ script: 'Maths', failure: undefined }] }
  }

  async uninstall(name: string): ReturnType<PythonScripts['uninstall']> {
    this.packages.delete(name)
    return { kind: 'done', reloaded: [{ script: 'Maths', failure: 'it is gone' }] }
  }

  async importProblems(modules: readonly string[]): Promise<readonly string[]> {
    return modules.includes('needy') ? ["Module 'needy' cannot be imported now: Module 'os' is not allowed"] : []
  }
}

t.test('a script is kept, shown and loaded again', async (t) => {
  const python = new FakePython()
  const test = await startCentre(t, {}, { python })
  const { send } = test
  t.equal(test.retained.get('Python/Scripts'), '[]')
  t.match(await send(`-addPython ${SCRIPT} -requestId 4`), {
    success: true,
    message: "Python script 'Maths' added successfully.",
    entityName: 'Maths',
    requestId: '4',
  })
  t.same(JSON.parse(test.retained.get('Python/Scripts')!), [
    { ScriptName: 'Maths', Code: SCRIPT.trimEnd(), Functions: ['double'] },
  ])
  python.loaded.clear()
  await test.start()
  t.match(test.retained.get('Python/Scripts'), /"Functions":\["double"\]/)
  while (python.loaded.size === 0) await new Promise((resolve) => setImmediate(resolve))
  t.same([...python.loaded.keys()], ['Maths'])
  t.match(await send('-removePython Maths'), { success: true, message: "Python script 'Maths' removed successfully!" })
  t.match(await send('-removePython Maths'), { success: false, message: "Python script 'Maths' not found." })
  t.same(python.loaded.size, 0)
  t.equal(test.retained.get('Python/Scripts'), '[]')
  t.same(test.store.keys(), [])
})

t.test('actions wait for their scripts', async (t) => {
  const test = await startCentre(t, {}, { python: new FakePython() })
  const { send } = test
  t.match(await send(`-addAction ${CALLER}`), { data: { waitingFor: ["Python script 'Maths'"] } })
  t.same(test.lot.names(), [])
  await send(`-addPython ${SCRIPT}`)
  t.same(test.lot.names(), ['action/Caller'])
  t.match(await send('-removeAllPythonScripts'), { message: 'removed all python scripts successfully' })
  t.same(test.lot.names(), [])
})

t.test('what Python refuses', async (t) => {
  const python = new FakePython()
  const test = await startCentre(t, {}, { python })
  const { send } = test
  await send(`-addPython ${SCRIPT}`)
  t.match(await send('-addPython # Script Name: Maths\ndef wrong\n'), {
    success: false,
    message: 'Parsing error: invalid syntax (2,5)',
    errors: [{ line: 2, column: 5, sourceLines: [{ line: 2, text: 'def wrong' }] }],
  })
  t.match(await send('-addPython x = 1'), { success: false, message: 'the script has no name' })
  t.match(test.retained.get('Python/Scripts'), /double/)
  test.store.refuse = () => new Error('no room')
  t.match(await send('-addPython # Script Name: Maths\ndef triple(x): pass'), { success: false, message: 'no room' })
  t.match(python.loaded.get('Maths'), /double/, 'the one of before is back')
})

t.test('removed and added at once, as some clients do', async (t) => {
  const python = new FakePython()
  const test = await startCentre(t, {}, { python })
  await test.send(`-addPython ${SCRIPT}`)
  await Promise.all([test.centre.execute('-removePython Maths'), test.centre.execute(`-addPython ${SCRIPT}`)])
  t.same([...python.loaded.keys()], ['Maths'])
  t.ok(test.store.definitionsByKey.has('python/Maths'))
})

t.test('without Python', async (t) => {
  const { send } = await startCentre(t)
  t.match(await send(`-addPython ${SCRIPT}`), { success: false, message: 'Python is not available' })
  t.match(await send(`-installPythonPackage ${sent(wheelOf())}`), { message: 'Python is not available' })
  t.match(await send('-listPythonPackages'), { success: true, data: [] })
})

const sent = (wheel: Buffer): string => `whl64:${wheel.toString('base64')}`

t.test('a package is kept, shown, given to Python at the next start, and removed', async (t) => {
  const python = new FakePython()
  const test = await startCentre(t, {}, { python })
  const { send } = test
  t.equal(test.retained.get('Python/Packages'), '[]')
  const wheel = wheelOf({
    name: 'Demo_Pack',
    files: { 'demo.py': 'x = 1', 'needy.py': 'import os' },
    metadata: ['Requires-Dist: six >=1.5'],
  })
  t.match(await send(`-installPythonPackage ${wheelFile('Demo_Pack')} ${sent(wheel)} -requestId 7`), {
    success: true,
    message: "Python package 'Demo_Pack' 1.0 installed successfully.",
    entityType: 'Python package',
    entityName: 'Demo_Pack',
    requestId: '7',
    data: { name: 'Demo_Pack', version: '1.0', modules: ['demo', 'needy'] },
    warnings: [
      'It needs six>=1.5: install it too',
      "Module 'needy' cannot be imported now: Module 'os' is not allowed",
    ],
  })
  t.match(await send('-installPythonPackage ' + sent(wheelOf({ name: 'six', version: '1.17.0' }))), { warnings: [] })
  const both = [
    { name: 'Demo_Pack', version: '1.0' },
    { name: 'six', version: '1.17.0' },
  ]
  t.same((await send('-listPythonPackages')).data, both)
  t.same(JSON.parse(test.retained.get('Python/Packages')!), both)
  t.same(test.store.keys(), ['python-package/demo-pack', 'python-package/six'])

  python.packages.clear()
  await test.start()
  t.same(JSON.parse(test.retained.get('Python/Packages')!), both)
  while (python.packages.size < 2) await new Promise((resolve) => setImmediate(resolve))
  t.same(python.packages.get('demo-pack')?.files, { 'demo.py': 'x = 1', 'needy.py': 'import os' })

  await send('-installPythonPackage ' + sent(wheelOf({ name: 'demo-pack', version: '2.0' })))
  t.match(await send('-listPythonPackages'), { data: [{ name: 'demo-pack', version: '2.0' }, { name: 'six' }] })
  await send('-installPythonPackage ' + sent(wheel))
  t.match(await send('-removePythonPackage SIX'), {
    success: true,
    message: "Python package 'six' removed successfully!",
    warnings: ["Python package 'Demo_Pack' needs it", "Python script 'Maths' cannot be loaded: it is gone"],
  })
  t.match(await send('-removePythonPackage six'), { success: false, message: "Python package 'six' is not installed." })
  await send('-removePythonPackage demo.pack')
  t.equal(test.retained.get('Python/Packages'), '[]')
  t.same(test.store.keys(), [])
  t.equal(python.packages.size, 0)
})

t.test('packages come from the folder of wheels, by their names', async (t) => {
  const wheelsFolder = mkdtempSync(join(tmpdir(), 'merlot-wheels-'))
  t.teardown(() => rmSync(wheelsFolder, { recursive: true }))
  const put = (name: string, version: string, tag?: string): void => {
    writeFileSync(join(wheelsFolder, wheelFile(name, version, tag)), wheelOf({ name, version }))
  }
  put('demo', '1.9')
  put('demo', '1.10')
  put('demo', '2.0', 'cp314-cp314-win32')
  const python = new FakePython()
  const { send } = await startCentre(t, { python: { wheelsFolder } }, { python })
  t.match(await send('-installPythonPackage demo'), { data: { version: '1.10' } })
  t.match(await send('-installPythonPackage "demo==1.9"'), { data: { version: '1.9' } })
  t.match(await send('-installPythonPackage demo==2.0'), {
    success: false,
    message:
      /^Python package 'demo==2.0' cannot be installed: no wheel of it in pure Python is in .* --no-deps demo==2.0;/,
  })
  t.match(await send('-listPythonPackages'), { data: [{ name: 'demo', version: '1.9' }] })
})

t.test('packages that are not installed', async (t) => {
  const python = new FakePython()
  const test = await startCentre(t, {}, { python })
  const { send } = test
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /^Name a package, or send a wheel/],
    [
      'numpy',
      /^Python package 'numpy' cannot be installed: the broker fetches nothing .* pip download .* merlot python install/,
    ],
    ['"json==2"', /^'json' needs no installation/],
    ['numpy>=2', /^'numpy>=2' is no name of a package, nor name==version/],
    ['demo-1.0-py3-none-any.whl', /^The content of demo-1.0-py3-none-any.whl is missing/],
    ['a b', /^Name a package/],
    ['whl64:', /^What follows whl64: is not base64/],
    ['whl64:!!!!', /^What follows whl64: is not base64/],
    ['whl64:AAAA', /it is no zip file/],
    [`other-1.0-py3-none-any.whl ${sent(wheelOf())}`, /is called other-1.0/],
    [sent(wheelOf({ afterwards: { 'demo.py': 'import os' } })), /not what its RECORD says/],
    [sent(wheelOf({ files: { 'wrong.py': '' } })), /^Python package 'demo' cannot be installed: not that one/],
    [`whl64:${'A'.repeat(11_200_000)}`, /^The wheel has more than 8388608 bytes/],
  ]
  for (const [rest, message] of cases) {
    t.match(await send(`-installPythonPackage ${rest}`), { success: false, message }, rest.slice(0, 60))
  }
  t.equal(python.packages.size, 0)
  test.store.refuse = () => new Error('no room')
  t.match(await send(`-installPythonPackage ${sent(wheelOf())}`), { success: false, message: 'no room' })
  t.equal(python.packages.size, 0)
  test.store.refuse = () => undefined
  await send(`-installPythonPackage ${sent(wheelOf())}`)
  test.store.refuse = () => new Error('no room')
  await send(`-installPythonPackage ${sent(wheelOf({ version: '2.0', files: { 'demo.py': 'two' } }))}`)
  t.match(
    python.packages.get('demo')?.files,
    { 'demo.py': 'def double(x): return 2 * x\n' },
    'the one of before is back',
  )
  t.match(await send('-removePythonPackage demo'), { success: false, message: 'no room' })
  t.ok(python.packages.has('demo'))
  t.match(await send('-listPythonPackages'), { data: [{ name: 'demo', version: '1.0' }] })
})

t.test('there is a limit to all packages together', async (t) => {
  const test = await startCentre(t, {}, { python: new FakePython() })
  const { send } = test
  const text = '# 0123456789\n'.repeat(80_000)
  const large = (name: string): Buffer => {
    const files = Array.from({ length: 7 }, (_, index) => [`${name}/m${index}.py`, text] as const)
    return wheelOf({ name, files: Object.fromEntries(files) })
  }
  for (const name of ['one', 'two', 'three', 'four']) {
    t.match(await send(`-installPythonPackage ${sent(large(name))}`), { success: true }, name)
  }
  t.match(await send(`-installPythonPackage ${sent(large('four'))}`), { success: true }, 'in place of itself')
  t.match(await send(`-installPythonPackage ${sent(large('five'))}`), {
    success: false,
    message: /more than 33554432 bytes of modules: remove packages that nothing needs/,
  })
  const bytes = Buffer.from(JSON.stringify({ name: 'x' }))
  for (const [key, value] of [
    ['python-package/a', bytes],
    ['python-package/b', Buffer.from('{')],
  ] as const) {
    test.store.definitionsByKey.set(key, value)
  }
  await test.start()
  t.equal(test.log.filter(({ message }) => message === 'a definition in the store is passed over').length, 2)
  t.equal(JSON.parse(test.retained.get('Python/Packages')!).length, 4)
})
