import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packArchive, unpackArchive } from './archive.js'
import { ACTION, MODEL, makeWorld, writeTree } from './projects.fixture.js'
import { rawZip } from './zip.fixture.js'

const zip64 = (files: Readonly<Record<string, string>>): string => {
  const entries = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }))
  return `zip64:${packArchive(entries).toString('base64')}`
}

t.test('an archive is added, loaded, unloaded and removed', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  t.equal(await projects.start(undefined), undefined)
  t.match(await projects.list(), { success: true, message: 'No projects found.', data: [] })
  t.match(world.retained.get('Projects/active'), { status: 'unloaded' })

  const added = await projects.add([zip64({ 'a.lot': ACTION('A') + MODEL('M') }), 'plant'])
  t.match(added, {
    success: true,
    message: "Project 'plant' added successfully.",
    data: { counts: { model: 1, action: 1 } },
  })
  t.equal(world.entities.size, 0)
  t.match(world.retained.get('Projects/list'), [{ name: 'plant', status: 'unloaded', source: 'archive' }])
  t.match(world.retained.get('Projects/plant/manifest'), { files: [{ path: 'a.lot' }], counts: { action: 1 } })

  const loaded = await projects.load('plant')
  t.match(loaded, { success: true, message: "Project 'plant' loaded successfully.", data: { counts: { model: 1 } } })
  t.same(world.calls, ['add model:M', 'add action:A'])
  t.match(world.retained.get('Projects/active'), { name: 'plant', status: 'loaded' })
  t.match(world.retained.get('Entities/ownership'), { 'action:A': { project: 'plant', file: 'a.lot' } })
  t.match(projects.ownerOf({ kind: 'model', name: 'M' }), { project: 'plant', file: 'a.lot' })

  t.match(await projects.unload(), { success: true, data: { name: 'plant', removed: 2 } })
  t.same(world.calls.slice(2), ['remove action:A', 'remove model:M'])
  t.match(world.retained.get('Projects/active'), { status: 'unloaded' })
  t.match(await projects.unload(), { success: false, message: 'No project is loaded.' })

  t.match(await projects.remove('plant'), { success: true })
  t.same(readdirSync(world.folder), [])
  t.notOk(world.retained.has('Projects/plant/manifest'))
  t.match(await projects.remove('plant'), { success: false, message: "Project 'plant' not found." })
  t.match(await projects.load('plant'), { success: false, errors: [{ message: "Project 'plant' not found." }] })
})

t.test('with load the answer carries the entities; an archive of the same name takes its place', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const first = await projects.add([zip64({ 'a.lot': ACTION('A'), 'b.lot': ACTION('B') }), 'plant', 'LOAD'])
  t.match(first.data, {
    entities: [{ kind: 'action', name: 'A', file: 'a.lot' }, { name: 'B' }],
    counts: { action: 2 },
  })
  const second = await projects.add([zip64({ 'a.lot': `${ACTION('A')}// new\n` }), 'plant', 'load'])
  t.ok(second.success)
  t.match(world.entities.get('action:A'), /new/)
  t.notOk(world.entities.has('action:B'), 'what the project no longer has is removed')
  t.same(world.calls.slice(2), ['add action:A', 'remove action:B'], 'without a gap for what stays')
})

t.test('entities that fail are told with their place; the others are loaded, and old ones stay', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const notebook = (text: string): string =>
    JSON.stringify([
      { kind: 1, value: '#' },
      { kind: 2, language: 'lot', value: `${ACTION('A')}\n${text}` },
    ])
  await projects.add([zip64({ 'a.lotnb': notebook(ACTION('B')) }), 'plant', 'load'])
  const old = world.entities.get('action:B')
  const reply = await projects.add([zip64({ 'a.lotnb': notebook(`${ACTION('B')}BROKEN`) }), 'plant', 'load'])
  t.match(reply, {
    success: false,
    message: /loaded with 1 error: a\.lotnb cell 2 line 6: Expected X/,
    errors: [{ kind: 'action', name: 'B', file: 'a.lotnb', cell: 2, line: 2, column: 5, fileLine: 6 }],
  })
  t.same(
    (reply.data as { entities: object[] }).entities,
    [{ kind: 'action', name: 'A', file: 'a.lotnb', cell: 2, line: 1 }],
    'without the one that was refused',
  )
  t.equal(world.entities.get('action:B'), old)
  t.match(projects.ownerOf({ kind: 'action', name: 'B' }), { project: 'plant' })
  t.match(world.retained.get('Projects/active'), { name: 'plant', errors: 1 })
})

t.test('another project takes over: nothing of the old one stays, not even where the new one fails', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  await projects.add([zip64({ 'a.lot': ACTION('Both') + ACTION('Old') + ACTION('Fails') }), 'one', 'load'])
  await projects.add([zip64({ 'a.lot': `${ACTION('Both')}${ACTION('Fails')}BROKEN\n` }), 'two', 'load'])
  t.same([...world.entities.keys()], ['action:Both'])
  t.match(projects.ownerOf({ kind: 'action', name: 'Both' }), { project: 'two' })
})

t.test('entities by hand: they survive, a project takes them over, and back', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  world.entities.set('action:Mine', 'x').set('action:Taken', 'x')
  await projects.add([zip64({ 'a.lot': ACTION('Taken') + ACTION('Given') }), 'plant', 'load'])
  await projects.release([{ kind: 'action', name: 'Given' }])
  t.same(Object.keys(world.retained.get('Entities/ownership') as object), ['action:Taken'])
  await projects.unload()
  t.same([...world.entities.keys()], ['action:Mine', 'action:Given'])
})

t.test('models wait for their parents', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const files = { 'a.lot': MODEL('C', 'B') + MODEL('B', 'A'), 'b.lot': MODEL('A') + MODEL('X', 'Nobody') }
  const reply = await projects.add([zip64(files), 'plant', 'load'])
  t.same([...world.entities.keys()], ['model:A', 'model:B', 'model:C'])
  t.match(reply.errors, [{ name: 'X', file: 'b.lot' }])
})

t.test('the loaded project is loaded again after a start, as its folder is then', async (t) => {
  const world = makeWorld(t)
  const plant = writeTree(join(world.root, 'plant'), { 'a.lot': ACTION('A'), 'b.lot': ACTION('B') })
  const before = world.open()
  t.match(await before.add([plant, 'line', 'load']), { success: true })
  t.match(await before.list(), { data: [{ name: 'line', status: 'loaded', source: 'folder', path: plant }] })

  rmSync(join(plant, 'b.lot'))
  const after = world.open()
  t.match(await after.start(undefined), { success: true, data: { name: 'line' } })
  t.same([...world.entities.keys()], ['action:A'])
  t.match(after.ownerOf({ kind: 'action', name: 'A' }), { project: 'line' })

  await after.remove('line')
  t.ok(existsSync(join(plant, 'a.lot')), "the user's folder stays")
  t.equal(world.entities.size, 0)
  t.equal(await world.open().start(undefined), undefined)
})

t.test('a project that is gone at the start is told of and forgotten', async (t) => {
  const world = makeWorld(t)
  await world.open().add([zip64({ 'a.lot': ACTION('A') }), 'plant', 'load'])
  rmSync(join(world.folder, 'plant'), { recursive: true })
  t.match(await world.open().start(undefined), { success: false, message: /'plant'.* no longer there/ })
  t.equal(world.entities.size, 0)
  t.equal(await world.open().start(undefined), undefined)
})

t.test('the configuration names a project: a folder, a zip file, or one that was added', async (t) => {
  const world = makeWorld(t)
  const plant = writeTree(join(world.root, 'plant'), { 'a.lot': ACTION('A') })
  await world.open().add([zip64({ 'x.lot': ACTION('X') }), 'other', 'load'])
  t.match(await world.open().start(plant), { success: true })
  t.same([...world.entities.keys()], ['action:A'])
  t.match(await world.open().start(plant), { success: true }, 'at each start')
  t.match(await world.open().start('other'), { success: true })
  t.same([...world.entities.keys()], ['action:X'])

  const zip = join(world.root, 'Zipped plant.zip')
  writeFileSync(zip, packArchive([{ path: 'z.lot', bytes: Buffer.from(ACTION('Z')) }]))
  t.match(await world.open().start(zip), { success: true, data: { name: 'Zipped-plant' } })
  t.match(await world.open().start(join(world.root, 'none')), { success: false, message: /none does not exist/ })
  t.same([...world.entities.keys()], ['action:Z'], 'what was loaded stays')
})

t.test('the archive of a project', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const plant = writeTree(join(world.root, 'plant'), {
    'a.lot': ACTION('A'),
    'sub/b.txt': 'x',
    '.git/config': 'secret',
    '.env': 'secret',
    'node_modules/x/index.js': 'x',
  })
  symlinkSync('/etc/passwd', join(plant, 'link.lot'))
  symlinkSync('/etc', join(plant, 'etc'))
  await projects.add([plant])
  t.match(await projects.getProject('plant'), { success: true, data: { name: 'plant' } })
  t.equal(world.sent[0]?.topic, 'Projects/plant/download')
  const files = await unpackArchive(Buffer.from(world.sent[0]!.text, 'base64'))
  t.same(
    files.map(({ path }) => path),
    ['a.lot', 'sub/b.txt'],
    'no links, nothing hidden',
  )
})

t.test('attacks leave nothing behind', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const evil = rawZip([
    { name: 'good.lot', text: 'x' },
    { name: '../../evil', text: 'x' },
  ]).toString('base64')
  t.match(await projects.add([`zip64:${evil}`, 'plant']), { success: false, message: /must not lead out/ })
  t.notOk(existsSync(join(world.root, 'evil')))
  for (const name of ['..', '../x', 'a/b', '.git', '-x', '#', 'a+b']) {
    t.match(await projects.add([zip64({ 'a.lot': '' }), name]), { success: false, message: /no name of a project/ })
  }
  t.match(await projects.add(['ext::sh -c "touch x"']), { success: false })
  t.match(await projects.add(['--upload-pack=x']), { success: false })
  t.match(await projects.add(['ssh://-oProxyCommand=x/y']), { success: false })
  for (const name of ['..', '.', '../projects', '']) t.match(await projects.remove(name), { success: false })
  t.match(await projects.list(), { data: [] })
  t.notOk(existsSync(world.folder))
})

t.test('what is not possible', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const plant = writeTree(join(world.root, 'plant'), { 'a.lot': ACTION('A') })
  t.match(await projects.add([]), { success: false, message: /use -addProject/ })
  t.match(await projects.add(['a', 'b', 'c']), { success: false, message: /use -addProject/ })
  const long = await projects.add(['UEsDB'.repeat(100_000)])
  t.match(long, { success: false, message: /^.{1,1100}$/ })
  t.match(await projects.add([plant, 'Plant']), { success: true })
  t.match(await projects.add([zip64({}), 'plant']), {
    success: false,
    message: "A project with the name 'Plant' already exists.",
  })
  t.match(await projects.add([zip64({}), 'Plant']), { success: false, message: /already exists/ })
  t.match(await projects.add([world.root, 'Plant']), { success: false, message: /already exists/ })
  for (const reply of [
    projects.pull('Plant', undefined),
    projects.push('Plant', undefined),
    projects.checkout('Plant', 'x'),
  ]) {
    t.match(await reply, { success: false, message: "Project 'Plant' is not in Git." })
  }
  t.match(await projects.status('Plant'), { success: true, data: { project: 'Plant', git: false } })
  renameSync(plant, `${plant}2`)
  t.match(await projects.load('Plant'), { success: false, message: /does not exist/ })
  t.match(await projects.list(), { data: [{ name: 'Plant' }] })
})

t.test('unfinished folders are removed at the start', async (t) => {
  const world = makeWorld(t)
  mkdirSync(join(world.folder, '.tmp-abc', 'new'), { recursive: true })
  mkdirSync(join(world.folder, '.tmp-def', 'old-kept'), { recursive: true })
  mkdirSync(join(world.folder, '.tmp-ghi', 'old-..'), { recursive: true })
  await world.open().start(undefined)
  t.same(readdirSync(world.folder), ['kept'], 'what was being replaced is back')
})

t.test('commands run one after the other, and not too many wait', async (t) => {
  const projects = makeWorld(t).open()
  const replies = await Promise.allSettled(Array.from({ length: 102 }, () => projects.list()))
  t.equal(replies.filter(({ status }) => status === 'fulfilled').length, 100)
})

t.test('all retained topics can be published again', async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  await projects.add([zip64({ 'a.lot': ACTION('A') }), 'plant', 'load'])
  const before = new Map(world.retained)
  world.retained.clear()
  await projects.republish()
  t.strictSame(new Map([...world.retained].sort()), new Map([...before].sort()))
})
