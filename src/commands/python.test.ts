import t from 'tap'
import { scriptName } from '../python/script.js'
import { startCentre } from './centre.fixture.js'
import type { PythonScripts } from './python-library.js'

const SCRIPT = '# Script Name: Maths\ndef double(x):\n    return x * 2\n'
const CALLER =
  'DEFINE ACTION Caller\nON TOPIC "a" DO\n    CALL PYTHON "Maths.double" WITH (PAYLOAD) RETURN AS {v}\n    PUBLISH TOPIC "b" WITH {v}'

/** Python that understands nothing but `wrong`. */
class FakePython implements PythonScripts {
  readonly loaded = new Map<string, string>()

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
  t.match(await send('-installPythonPackage numpy'), {
    success: false,
    message: /^Python package 'numpy' cannot be installed: .* Copy functions .* to a client that subscribes/,
  })
  t.match(await send('-installPythonPackage "json==2"'), { success: false, message: /^'json' needs no installation/ })
  t.match(await send('-listPythonPackages'), { success: true, data: [] })
})
