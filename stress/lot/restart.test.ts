/** What a broker still knows after a restart: definitions, values, secrets, projects, the last runs of timers. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import t from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { retained } from './lot-user.fixture.js'

t.setTimeout(300_000)

function cell(language: string, value: string): { kind: number; language: string; value: string } {
  return { kind: language === 'markdown' ? 1 : 2, language, value }
}

const NOTEBOOK = JSON.stringify([
  cell('markdown', '# A plant'),
  cell('lot', 'DEFINE ACTION FromProject\r\nON TOPIC "project" DO\r\n    PUBLISH TOPIC "project/is" WITH PAYLOAD'),
  cell(
    'lot',
    'DEFINE MODEL PlantBase COLLAPSED\n    ADD STRING "site" WITH "P"\n\nDEFINE MODEL Plant FROM PlantBase WITH TOPIC "plant"\n    ADD INT "n" WITH TOPIC "raw/plant" AS TRIGGER',
  ),
  cell('shellscript', 'rm -rf /'),
])

function zip64(files: Readonly<Record<string, string>>): string {
  const archive = zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])))
  return `zip64:${Buffer.from(archive).toString('base64')}`
}

/** The files below a folder that contain the text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && (await readFile(file)).includes(text)) found.push(file)
  }
  return found
}

t.test('everything is still there', { timeout: 120_000 }, async (t) => {
  const broker = await LotBroker.start(t)
  const first = await broker.connect()
  const source =
    '// kept as it is\r\nDEFINE ACTION Kept\r\nON TOPIC "kept/in" DO\r\n    PUBLISH TOPIC "kept/out" WITH PAYLOAD + GET ENV "SUFFIX" + GET SECRET "S"'
  await first.succeed(`-addAction ${source}`)
  await first.succeed('-setEnv SUFFIX=!')
  await first.succeed('-setSecret S=Zq7-quiet')
  await first.succeed('-addAction DEFINE ACTION Begin\nON START DO\n    PUBLISH TOPIC "begun" WITH "again"')
  await first.succeed(
    '-addAction DEFINE ACTION SetEnv\nON TOPIC "env/set" DO\n    KEEP ENV "FROM_ACTION" WITH PAYLOAD\n    PUBLISH TOPIC "env/done" WITH "x"',
  )
  await first.answer('env/set', 'durable', 'env/done')
  await first.succeed(
    '-addAction DEFINE ACTION SetSecret\nON TOPIC "secret/set" DO\n    KEEP SECRET "T" WITH "Zq7-" + PAYLOAD\n    PUBLISH TOPIC "secret/done" WITH "x"',
  )
  await first.answer('secret/set', 'other', 'secret/done')
  await first.succeed(
    '-addAction DEFINE ACTION GetSecret\nON TOPIC "secret/get" DO\n    PUBLISH TOPIC "secret/is" WITH GET SECRET "T"',
  )
  await first.succeed('-addRule DEFINE RULE Mine WITH PRIORITY 300 FOR Publish TO TOPIC "a"\n    ALLOW')
  await first.succeed('-addTheme DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#102030"')
  await first.succeed('-addPython # Script Name: Twice\ndef f(x):\n    return float(x) * 2')
  await first.succeed(
    '-addAction DEFINE ACTION Py\nON TOPIC "py" DO\n    CALL PYTHON "Twice.f" WITH (PAYLOAD) RETURN AS {v}\n    PUBLISH TOPIC "py/is" WITH {v}',
  )
  const bad = await first.command('-addAction DEFINE ACTION Kept\nON TOPIC "kept/in" DO\n    PUBLISH TOPIC WITH 5')
  t.equal(bad.success, false, 'a failed redeployment leaves the old one')
  t.equal(await first.answer('kept/in', 'a', 'kept/out'), 'a!Zq7-quiet')

  await broker.restart()
  for (const secret of ['Zq7-quiet', 'Zq7-other']) t.same(await filesWith(broker.dataDirectory, secret), [])
  t.ok((await filesWith(broker.dataDirectory, 'durable')).length > 0)
  const user = await broker.connect()
  t.equal(await user.answer('kept/in', 'b', 'kept/out'), 'b!Zq7-quiet')
  t.equal(await user.answer('secret/get', '', 'secret/is'), 'Zq7-other')
  t.equal((await retained(broker, '$SYS/Coreflux/Actions/Kept'))?.trim(), source.trim())
  t.same(
    ((await user.succeed('-listEnv')).data as { name: string; value: string }[])
      .map(({ name, value }) => `${name}=${value}`)
      .sort(),
    ['FROM_ACTION=durable', 'SUFFIX=!'],
  )
  t.match(JSON.stringify((await user.succeed('-listRules')).data), /"Mine"/)
  t.ok(await retained(broker, '$SYS/Coreflux/VoT/Themes/Night'))
  t.equal(await user.answer('py', '4', 'py/is'), '8.0')
  t.notOk(
    broker.logged.some(({ level }) => level === 'error'),
    'no error is logged',
  )
  t.notMatch(JSON.stringify(broker.logged), /Zq7-(quiet|other)/)
})

t.test('ON START at each start of the broker', { timeout: 120_000 }, async (t) => {
  const broker = await LotBroker.start(t)
  const first = await broker.connect()
  await first.succeed('-addAction DEFINE ACTION Begin\nON START DO\n    PUBLISH MODEL Started TO "begun" WITH n = 1')
  await first.succeed('-addModel DEFINE MODEL Started COLLAPSED RETAIN\n    ADD INT "n"')
  await first.succeed('-addAction DEFINE ACTION Begin\nON START DO\n    PUBLISH MODEL Started TO "begun" WITH n = 1')
  await first.on('begun')
  await first.publish('begun', '', { retain: true })
  await broker.restart()
  const user = await broker.connect()
  t.equal((await user.on('begun')).text, '{"n":1}')
})

t.test('a project', { timeout: 120_000 }, async (t) => {
  const broker = await LotBroker.start(t)
  const first = await broker.connect()
  const loaded = await first.succeed(`-addProject ${zip64({ 'plant.lotnb': NOTEBOOK, 'README.md': 'x' })} Plant1 load`)
  t.match(loaded.data, { entities: Array, counts: Object })
  t.equal(await first.answer('project', '1', 'project/is'), '1')
  t.equal(await first.answer('raw/plant', '5', 'plant'), '{"site":"P","n":5}')
  const ownership = JSON.parse((await retained(broker, '$SYS/Coreflux/Entities/ownership')) ?? '{}')
  t.match(ownership['action:FromProject'], { project: 'Plant1', file: 'plant.lotnb', cell: Number })
  t.match(await retained(broker, '$SYS/Coreflux/Projects/active'), /Plant1/)
  t.match((await first.succeed('-listProjects')).data, [{ name: 'Plant1', status: /./ }])
  await first.succeed('-addAction DEFINE ACTION AdHoc\nON TOPIC "adhoc" DO\n    PUBLISH TOPIC "adhoc/is" WITH 1')

  const from = first.heard.length
  await first.succeed('-getProject Plant1')
  const archive = await first.on('$SYS/Coreflux/Projects/Plant1/download', from)
  t.equal(Buffer.from(archive.text, 'base64').subarray(0, 2).toString(), 'PK')
  t.notOk(archive.retain)

  await broker.restart()
  const user = await broker.connect()
  t.equal(await user.answer('project', '2', 'project/is'), '2')
  t.match(await retained(broker, '$SYS/Coreflux/Projects/active'), /Plant1/)
  await user.succeed('-unloadProject')
  t.equal(await retained(broker, '$SYS/Coreflux/Actions/FromProject'), undefined)
  t.equal(await retained(broker, '$SYS/Coreflux/Models/Plant'), undefined)
  t.match(JSON.parse((await retained(broker, '$SYS/Coreflux/Projects/active')) ?? '{}'), { status: 'unloaded' })
  t.same(JSON.parse((await retained(broker, '$SYS/Coreflux/Entities/ownership')) ?? '0'), {})
  t.equal(await user.answer('adhoc', '', 'adhoc/is'), '1', 'what was added by hand stays')
  await user.succeed('-loadProject Plant1')
  t.equal(await user.answer('project', '3', 'project/is'), '3')
  await user.succeed('-unloadProject')
  await user.succeed('-removeProject Plant1')
  t.equal((await user.succeed('-listProjects')).message, 'No projects found.')

  const hostile = await user.command(`-addProject ${zip64({ '../evil.lot': 'x' })} Evil load`)
  t.equal(hostile.success, false, 'no path leaves the folder')
  const partly = await user.command(
    `-addProject ${zip64({ 'a.lot': 'DEFINE ACTION Good\nON TOPIC "good" DO\n    PUBLISH TOPIC "good/is" WITH 1', 'b.lot': 'DEFINE ACTION Bad\nON TOPIC DO' })} Partly load`,
  )
  t.match(JSON.stringify(partly.errors), /Bad|b\.lot/)
  t.equal(await user.answer('good', '', 'good/is'), '1', 'the rest is loaded')
})
