import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { startCentre } from '../commands/centre.fixture.js'
import { packArchive } from './archive.js'
import { ACTION, MODEL, writeTree } from './projects.fixture.js'
import { Projects } from './projects.js'
import { readProject } from './read-project.js'

const OPTIONS = { projects: (task: ConstructorParameters<typeof Projects>[0]) => new Projects(task) }
const RULE = (priority: number, name: string): string =>
  `DEFINE RULE ${name} WITH PRIORITY ${priority} FOR Publish TO TOPIC "x/#"\n    IF USER IS "a" THEN\n        ALLOW\n    ELSE\n        DENY\n`

function zip64(files: Readonly<Record<string, string>>): string {
  const entries = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }))
  return `zip64:${packArchive(entries).toString('base64')}`
}

t.test('through commands: loaded, owned, taken over by hand, and there again after a start', async (t) => {
  const test = await startCentre(t, {}, OPTIONS)
  t.match(await test.send('-listProjects -requestId r1'), {
    success: true,
    command: 'ListProjects',
    requestId: 'r1',
    message: 'No projects found.',
    data: [],
  })
  const files = { 'a.lot': MODEL('M') + ACTION('A'), 'b.lot': ACTION('B'), 'c.lot': RULE(500, 'Mine') }
  const added = await test.send(`-addProject ${zip64(files)} plant load`)
  t.match(
    added,
    { success: true, data: { counts: { model: 1, action: 2, rule: 1 }, entities: [{ name: 'M' }] } },
    added.message,
  )
  t.same(test.lot.names(), ['action/A', 'action/B', 'model/M'])
  t.match(JSON.parse(test.retained.get('Entities/ownership')!), { 'rule:Mine': { project: 'plant', file: 'c.lot' } })
  const originOf = async (wanted: string): Promise<string | undefined> => {
    const listed = (await test.send('-listEntities')).data as { name: string; origin: string }[]
    return listed.find(({ name }) => name === wanted)?.origin
  }
  t.equal(await originOf('A'), 'plant/a.lot')

  t.match(await test.send(`-addAction ${ACTION('B')}`), { success: true })
  t.equal(await originOf('B'), 'adhoc')
  await test.start()
  t.match(JSON.parse(test.retained.get('Projects/active')!), { name: 'plant', status: 'loaded' })
  t.match(await test.send('-unloadProject'), { success: true })
  t.same(test.lot.names(), [])
})

t.test('an entity that does not parse is told with its place', async (t) => {
  const test = await startCentre(t, {}, OPTIONS)
  const broken = 'DEFINE ACTION Broken\nON TOPIC "a" DO\n    PUBLISH NOTHING "b"\n'
  const notebook = JSON.stringify([{ kind: 2, language: 'lot', value: `${ACTION('A')}${broken}` }])
  const reply = await test.send(`-addProject ${zip64({ 'a.lotnb': notebook })} plant load`)
  t.match(reply, {
    success: false,
    errors: [{ kind: 'action', name: 'Broken', file: 'a.lotnb', cell: 1, line: 3, fileLine: 6, sourceLines: [{}] }],
  })
  t.same(test.lot.names(), ['action/A'])
})

const outer = t

t.test('the project of the configuration; locked rules are not replaced', async (t) => {
  const folder = writeTree(join(outer.testdir({}), 'plant'), {
    'a.lot': ACTION('A') + RULE(500, 'AllowSystemConfiguration'),
  })
  const test = await startCentre(t, { lot: { project: folder } }, OPTIONS)
  t.same(test.lot.names(), ['action/A'])
  t.notMatch(test.retained.get('Rules/AllowSystemConfiguration'), /x\/#/)
  t.match(JSON.parse(test.retained.get('Projects/active')!), { errors: 1 })
})

t.test('reading never throws, whatever stands in the files', (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('DEFINE ', 'ACTION ', 'A', '\n', '"', '/*', '*/', '--', ' ') }),
  )
  const notebook = fc.array(
    fc.record({ kind: fc.constantFrom(1, 2, 3), language: fc.constantFrom('lot', 'python'), value: text }),
  )
  const content = fc.oneof(
    text,
    notebook.map((cells) => JSON.stringify(cells)),
    fc.json(),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a.lot', 'b.lotnb', 'c.py'), content)), (files) => {
      readProject(files.map(([path, value]) => ({ path, bytes: Buffer.from(value) })))
    }),
    { numRuns: 300 },
  )
  t.end()
})
