/** Python packages, from the wheel to the result of a call. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runMerlot } from '../../src/cli/cli.fixture.js'
import { wheelFile, wheelOf } from '../../src/python/wheel.fixture.js'
import { LotBroker } from './lot-broker.fixture.js'
import { retained } from './lot-user.fixture.js'

t.setTimeout(300_000)

const ACTION = `DEFINE ACTION Twice
ON TOPIC "raw" DO
    CALL PYTHON "Uses.twice" WITH (PAYLOAD) RETURN AS {result}
    PUBLISH TOPIC "done" WITH {result}`
const SCRIPT = '# Script Name: Uses\nimport demo\ndef twice(x): return demo.double(int(x))\n'
const ABSENT = "Module 'demo' is not allowed: no package that is installed has it"

t.test('a package is installed, used, kept and removed', { timeout: 240_000 }, async (t) => {
  const broker = await LotBroker.start(t)
  let user = await broker.connect()
  await user.succeed(`-addAction ${ACTION}`)
  t.match(await user.command(`-addPython ${SCRIPT}`), { success: false, message: new RegExp(ABSENT) })
  t.match(await user.command('-installPythonPackage demo'), { success: false, message: /pip download/ })

  const folder = t.testdir({})
  const file = join(folder, wheelFile('demo'))
  writeFileSync(file, wheelOf())
  writeFileSync(join(folder, wheelFile('demo', '1.0', 'cp314-cp314-win32')), wheelOf())
  const merlot = (...args: string[]) => runMerlot(['python', ...args, '--data', broker.dataDirectory])
  t.match(await merlot('install', file), {
    exitCode: 0,
    stdout: /^Python package 'demo' 1.0 installed successfully.\n/,
    stderr: '',
  })
  t.match(await merlot('install', join(folder, wheelFile('demo', '1.0', 'cp314-cp314-win32'))), {
    exitCode: 1,
    stderr: /made for cp314-cp314-win32: only wheels in pure Python/,
  })
  t.match(await merlot('list'), { exitCode: 0, stdout: '1 package\n- name: demo\n  version: "1.0"\n' })
  t.equal(await retained(broker, '$SYS/Coreflux/Python/Packages'), '[{"name":"demo","version":"1.0"}]')
  await user.succeed(`-addPython ${SCRIPT}`)
  t.equal(await user.answer('raw', '21', 'done'), '42')

  await broker.restart()
  user = await broker.connect()
  await user.command('-removePythonPackage none') // is answered when all scripts are loaded
  t.match((await user.succeed('-listPythonPackages')).data, [{ name: 'demo', version: '1.0' }])
  t.equal(await user.answer('raw', '4', 'done'), '8')

  const two = wheelOf({ version: '2.0', files: { 'demo.py': 'def double(x): return 200 * x\n' } })
  await user.succeed(`-installPythonPackage whl64:${two.toString('base64')}`)
  t.equal(await user.answer('raw', '4', 'done'), '800', 'the script has the new one')

  t.match(await merlot('remove', 'demo'), {
    exitCode: 0,
    stderr: `warning: Python script 'Uses' cannot be loaded: ${ABSENT}\n`,
  })
  const error = await user.answer('raw', '4', '$SYS/Coreflux/Actions/Twice/Error')
  t.match(error, `Python script 'Uses' cannot be loaded: ${ABSENT}`)
  await broker.restart()
  user = await broker.connect()
  await user.command('-removePythonPackage none') // is answered when all scripts are loaded
  t.match(await user.answer('raw', '4', '$SYS/Coreflux/Actions/Twice/Error'), /'Uses' cannot be loaded: Module 'demo'/)
  t.match(await merlot('install', file), { exitCode: 0 })
  t.equal(await user.answer('raw', '5', 'done'), '10', 'the script works again')
})
