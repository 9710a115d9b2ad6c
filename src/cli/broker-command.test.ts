import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commandTextLast } from './broker-command.js'
import { runMerlot, startBrokerProcess } from './cli.fixture.js'

t.test('the text of a command is no option', async (t) => {
  for (const [given, wanted] of [
    [
      ['command', '-listModels'],
      ['command', '--', '-listModels'],
    ],
    [
      ['command', '-updateData', '-h', 'x'],
      ['command', '-h', 'x', '--', '-updateData'],
    ],
    [
      ['command', '--json', '-p', '1', '-panelCode A'],
      ['command', '--json', '-p', '1', '--', '-panelCode A'],
    ],
    [
      ['command', '--list-models', '--json'],
      ['command', '--json', '--', '--list-models'],
    ],
    [
      ['command', '--', '-listModels'],
      ['command', '--', '-listModels'],
    ],
    [
      ['command', '--help'],
      ['command', '--help'],
    ],
    [
      ['command', '--timeout=5', '-listEnv'],
      ['command', '--timeout=5', '--', '-listEnv'],
    ],
    [
      ['sub', '-verbose'],
      ['sub', '-verbose'],
    ],
  ] as const) {
    t.same(commandTextLast(given), wanted, given.join(' '))
  }
})

t.test('commands and their answers', async (t) => {
  await startBrokerProcess(t)
  const folder = t.testdirName // of the broker: asked for once more it would be emptied
  const send = (...args: string[]) => runMerlot(['command', ...args, '--data', folder])
  const lot = join(folder, 'tank.lot')
  writeFileSync(lot, 'DEFINE MODEL Tank\n    ADD DOUBLE "level"\n')

  const added = await send('-addModel', '--file', lot)
  t.match(added, { exitCode: 0, stderr: '', stdout: /^Model 'Tank' added successfully!\n/ })
  const listed = await send('-listModels')
  t.match(listed, { exitCode: 0, stderr: '', stdout: /^1 models\.\n- name: Tank\n {2}status: active\n/ })
  const json = await send('--list-models', '--json')
  t.match(JSON.parse(json.stdout), { success: true, command: 'ListModels', data: [{ name: 'Tank' }] })
  const own = JSON.parse((await send('-listModels -requestId mine', '--json')).stdout) as { requestId: string }
  t.equal(own.requestId, 'mine')

  const ban = (...args: string[]) => runMerlot(['ban', ...args, '--data', folder])
  const reason = 'see the note on -requestId 7'
  t.match(await ban('add', 'client', 'pump-9', '--reason', reason), { exitCode: 0, stderr: '' })
  t.match(JSON.parse((await ban('list', '--json')).stdout), { data: [{ reason }] }, 'only a command has identifiers')

  const bad = join(folder, 'bad.lot')
  writeFileSync(bad, '// of the press\n\nDEFINE ACTION Bad\nON EVERY 1 SECOND D\n    PUBLISH TOPIC "x" WITH 1\n')
  const { exitCode, stderr } = await send('-addAction', '--file', bad)
  t.equal(exitCode, 1)
  t.match(
    stderr,
    /^Parsing error: .*\n.*bad\.lot:4:\d+ error LOT\d+: Expected DO.*\n {2}4 \| ON EVERY 1 SECOND D\n {4}\| +\^/,
  )

  const failed = await send('-removeModel Missing')
  t.match(failed, { exitCode: 1, stderr: /Model 'Missing' not found\./ })
  const wrong = await send('-addModel', '--stdin')
  t.equal(wrong.exitCode, 1)
  t.match(await send('-updateData'), { exitCode: 0, stdout: '' })
  t.match(await runMerlot(['command', 'listModels', '--data', folder]), { exitCode: 2, stderr: /begin with a dash/ })
  t.match(await send('-addModel', '--file', join(folder, 'none')), { exitCode: 2, stderr: /cannot read/ })
})
