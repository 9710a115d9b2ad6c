import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cloneRepository } from './git.js'
import { ACTION, commitAndPush, gitMissing, makeRepository, makeWorld, userGit, writeTree } from './projects.fixture.js'

const skip = gitMissing()

t.test('a repository: add, status, pull, checkout, push', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const { remote, work } = makeRepository(world.root, { 'a.lot': ACTION('A') })
  t.match(await projects.add([`file://${remote}`, 'main', 'load']), { success: true, data: { name: 'plant' } })
  t.match(await projects.list(), { data: [{ name: 'plant', source: 'git', url: `file://${remote}` }] })
  const clean = {
    branch: 'main',
    commit: userGit(work, 'rev-parse', 'HEAD'),
    ahead: 0,
    behind: 0,
    clean: true,
    changes: [],
  }
  t.match(world.retained.get('Projects/plant/status'), { project: 'plant', git: true, ...clean })

  commitAndPush(work, { 'b.lot': ACTION('B') })
  t.match(await projects.pull('plant', undefined), { success: true, message: /pulled successfully/ })
  t.ok(world.entities.has('action:B'), 'the loaded project is loaded again')

  userGit(work, 'checkout', '--quiet', '-b', 'next/one')
  commitAndPush(work, { 'c.lot': ACTION('C') }, 'next/one')
  t.match(await projects.checkout('plant', 'next/one'), { success: true, message: /is at 'next\/one'/ })
  t.ok(world.entities.has('action:C'))
  t.match(world.retained.get('Projects/plant/status'), { branch: 'next/one' })
  t.match(await projects.checkout('plant', 'main'), { success: true })
  t.notOk(world.entities.has('action:C'))

  const folder = join(world.folder, 'plant')
  writeTree(folder, { 'd.lot': ACTION('D'), 'a b.lot': '' })
  t.match(await projects.status('plant'), { data: { clean: false, changes: ['?? a b.lot', '?? d.lot'] } })
  userGit(folder, 'add', 'd.lot')
  userGit(folder, 'commit', '--quiet', '--message', 'D')
  t.match(await projects.status('plant'), { data: { ahead: 1, behind: 0 } })
  const pushed = await projects.push('plant', undefined)
  t.match(pushed, { success: true, data: { ahead: 0 }, warnings: [/not committed/] })
  t.equal(userGit(remote, 'rev-parse', 'main'), userGit(folder, 'rev-parse', 'HEAD'))
  t.match(await projects.push('plant', 'other'), { success: true })
  t.equal(userGit(remote, 'rev-parse', 'other'), userGit(folder, 'rev-parse', 'HEAD'))

  t.match(await projects.add([`file://${remote}`]), { success: false, message: /already exists/ })
})

t.test('a repository that changed elsewhere is not merged', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const { remote, work } = makeRepository(world.root, { 'a.lot': ACTION('A') })
  await projects.add([remote])
  const folder = join(world.folder, 'plant')
  writeTree(folder, { 'mine.lot': '' })
  userGit(folder, 'add', '--all')
  userGit(folder, 'commit', '--quiet', '--message', 'mine')
  commitAndPush(work, { 'theirs.lot': '' })
  t.match(await projects.pull('plant', undefined), { success: false, message: /git pull failed/ })
  t.match(await projects.push('plant', undefined), { success: false, message: /git push failed/ })
  t.notOk(existsSync(join(folder, 'theirs.lot')))
})

t.test('options are never taken from refs and addresses', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const { remote } = makeRepository(world.root, { 'a.lot': ACTION('A') })
  const mark = join(world.root, 'mark')
  t.match(await projects.add([remote, `--upload-pack=touch ${mark}`]), {
    success: false,
    message: /no name of a branch/,
  })
  await projects.add([remote])
  for (const ref of ['--force', `--upload-pack=touch ${mark}`, '-', '../x', 'a b']) {
    t.match(await projects.checkout('plant', ref), { success: false, message: /no name of a branch/ })
    t.match(await projects.pull('plant', ref), { success: false, message: /no name of a branch/ })
    t.match(await projects.push('plant', ref), { success: false, message: /no name of a branch/ })
  }
  await t.rejects(cloneRepository(`ext::touch ${mark}`, undefined, join(world.root, 'x')), {
    message: /'ext' not allowed/,
  })
  t.notOk(existsSync(mark))
})

t.test('nothing of a repository is run, and its links are text', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const { remote, work } = makeRepository(world.root, { 'a.lot': ACTION('A') })
  symlinkSync('/etc/passwd', join(work, 'link.lot'))
  commitAndPush(work, {})
  await projects.add([remote, 'main', 'load'])
  const folder = join(world.folder, 'plant')
  t.ok(lstatSync(join(folder, 'link.lot')).isFile())
  t.equal(readFileSync(join(folder, 'link.lot'), 'utf8'), '/etc/passwd')

  const mark = join(world.root, 'mark')
  for (const hook of ['post-checkout', 'post-merge', 'pre-push', 'reference-transaction']) {
    writeTree(folder, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${mark}\n` })
    chmodSync(join(folder, '.git/hooks', hook), 0o755)
  }
  writeTree(world.root, { 'monitor.sh': `#!/bin/sh\ntouch ${mark}\n` })
  chmodSync(join(world.root, 'monitor.sh'), 0o755)
  userGit(folder, 'config', 'core.fsmonitor', join(world.root, 'monitor.sh'))
  rmSync(mark, { force: true })
  commitAndPush(work, { 'b.lot': ACTION('B') })
  t.match(await projects.pull('plant', undefined), { message: /pulled/ })
  t.match(await projects.checkout('plant', 'main'), { message: /is at/ })
  t.match(await projects.push('plant', undefined), { success: true })
  t.match(await projects.status('plant'), { data: { git: true } })
  t.notOk(existsSync(mark))
})

t.test('a project that is not in Git does not become the repository around it', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  userGit(world.root, 'init', '--quiet')
  writeTree(world.root, { 'plant/a.lot': '' })
  await projects.add([join(world.root, 'plant')])
  t.match(await projects.status('plant'), { data: { git: false } })
  writeFileSync(join(world.root, 'plant', '.git'), 'gitdir: nowhere')
  t.match(await projects.status('plant'), { success: false, message: /git status failed/ })
})

t.test('a copy has its own history', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const { remote } = makeRepository(world.root, { 'a.lot': ACTION('A') })
  await projects.add([remote])
  t.match(await projects.duplicate('plant', 'copy'), { success: true, warnings: [] })
  const folder = join(world.folder, 'copy')
  t.equal(readFileSync(join(folder, 'a.lot'), 'utf8'), ACTION('A'))
  t.throws(() => execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder, stdio: 'ignore' }))
  const status = (await projects.status('copy')).data as { url?: string; commit?: string }
  t.match(status, { project: 'copy', git: true, changes: ['?? a.lot'] })
  t.same([status.url, status.commit], [undefined, undefined])
  t.match(await projects.duplicate('plant', 'copy'), { success: false, message: /already exists/ })
  t.match(await projects.duplicate('plant', '../x'), { success: false, message: /no name of a project/ })
})

t.test('a start brings a repository up to date, and does without its remote', { skip }, async (t) => {
  const world = makeWorld(t)
  const { remote, work } = makeRepository(world.root, { 'a.lot': ACTION('A') })
  const address = `file://${remote}`
  t.match(await world.open().start(address), { success: true })
  commitAndPush(work, { 'b.lot': ACTION('B') })
  t.match(await world.open().start(address), { success: true, warnings: [] })
  t.ok(world.entities.has('action:B'))
  rmSync(remote, { recursive: true })
  t.match(await world.open().start(address), { success: true, warnings: [/git pull failed/] })
  t.match(await world.open().start('file:///elsewhere/plant.git'), {
    success: false,
    message: /came from somewhere else/,
  })
})

t.test('no password is shown or kept in an answer', { skip }, async (t) => {
  const world = makeWorld(t)
  const projects = world.open()
  const reply = await projects.add(['http://user:s3cret@127.0.0.1:1/plant.git'])
  t.match(reply, { success: false, message: /git clone failed/ })
  t.notMatch(JSON.stringify(reply), /s3cret/)
})

t.test('git may be missing', async (t) => {
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = t.testdir({})
  const projects = makeWorld(t).open()
  t.match(await projects.add(['https://127.0.0.1:1/plant.git']), { success: false, message: /git is not installed/ })
})
