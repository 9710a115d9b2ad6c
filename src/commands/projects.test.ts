import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Projects } from '../projects/projects.js'
import { startCentre } from './centre.fixture.js'

const LOT = `DEFINE MODEL Tank
    ADD DOUBLE "level"

DEFINE ACTION Report
ON TOPIC "tank/level" DO
    PUBLISH MODEL Tank TO "out" WITH
        level = PAYLOAD AS DOUBLE

DEFINE RULE Plant WITH PRIORITY 200 FOR Publish TO TOPIC "plant/#"
    ALLOW
`
const BROKEN = 'DEFINE ACTION Broken\nON TOPIC\n'

function projectFolder(below: string, files: Readonly<Record<string, string>>): string {
  const folder = join(below, 'source', 'plant')
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

t.test('a project is loaded, owns its entities, and takes them away again', async (t) => {
  const test = await startCentre(t, {}, { projects: (task) => new Projects(task) })
  const folder = projectFolder(test.folder, { 'a.lot': LOT, 'b.lot': BROKEN })
  const { send } = test
  await send('-addRule DEFINE RULE Plant WITH PRIORITY 300 FOR Publish TO TOPIC "plant/#"\n    DENY')
  await send('-addAction DEFINE ACTION Mine\nON TOPIC "x" DO\n    PUBLISH TOPIC "y" WITH 1')
  const loaded = await send(`-addProject "${folder}" plant load`)
  t.equal(loaded.command, 'AddProject')
  t.match(loaded.errors, [{ name: 'Broken', file: 'b.lot', line: 2 }])
  t.same(test.lot.names(), ['action/Mine', 'action/Report', 'model/Tank'])
  t.match(test.retained.get('Rules/Plant'), /PRIORITY 200/, 'it takes the place of one that was there')
  t.match((await send('-listEntities')).data as object[], [
    { type: 'rule', name: 'AllowPublishTopic', origin: 'adhoc' },
    {},
    {},
    { type: 'rule', name: 'Plant', origin: 'plant/a.lot' },
    { type: 'action', name: 'Mine', origin: 'adhoc' },
    { type: 'model', name: 'Tank', origin: 'plant/a.lot' },
    { type: 'action', name: 'Report', origin: 'plant/a.lot' },
  ])
  t.match(JSON.parse(test.retained.get('Entities/ownership')!), { 'model:Tank': { project: 'plant', file: 'a.lot' } })
  await send('-addModel DEFINE MODEL Tank\n    ADD INT "level"')
  t.match(await send('-unloadProject'), { success: true })
  t.same(test.lot.names(), ['action/Mine', 'model/Tank'], 'what was added by hand stays')
  t.same(JSON.parse(test.retained.get('Entities/ownership')!), {})
})

t.test('the project that was loaded is loaded again', async (t) => {
  const test = await startCentre(t, {}, { projects: (task) => new Projects(task) })
  const folder = projectFolder(test.folder, { 'a.lot': LOT })
  await test.send(`-addProject "${folder}" plant load`)
  await test.start()
  t.same(test.lot.names(), ['action/Report', 'model/Tank'])
  t.match(await test.send('-listProjects'), { data: [{ name: 'plant', status: 'loaded' }] })
  t.equal((await test.send('-loadProject')).message, 'The name is missing')
  test.retained.clear()
  await test.centre.forget()
  t.ok(test.retained.has('Projects/list'))
})

t.test('a broker without projects says so', async (t) => {
  const test = await startCentre(t)
  t.match(await test.send('-listProjects'), { success: false })
  t.same(test.retained.get('Projects/active'), '{"status":"unloaded"}')
})
