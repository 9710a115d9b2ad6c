import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lockFolder } from './folder-lock.js'

const hasStarts = existsSync('/proc/self/stat')

t.test('a folder is taken and given back', async (t) => {
  const folder = t.testdir({})
  const lock = lockFolder(folder)
  t.same(readdirSync(folder), ['lock'])
  t.equal(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')).pid, process.pid)
  lock.release()
  t.same(readdirSync(folder), [])
  lock.release()
})

t.test('a process takes over what it holds itself', async (t) => {
  const folder = t.testdir({})
  lockFolder(folder)
  lockFolder(folder).release()
  t.same(readdirSync(folder), [])
})

t.test('a process that runs keeps its folder, a dead one loses it', async (t) => {
  const folder = t.testdir({})
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(other, 'spawn')
  const stat = hasStarts ? readFileSync(`/proc/${other.pid}/stat`, 'latin1').split(' ')[21] : ''
  const text = JSON.stringify({ pid: other.pid, started: stat })
  writeFileSync(join(folder, 'lock'), text)
  t.throws(() => lockFolder(folder), { code: 'STORE_IN_USE', details: { path: folder, pid: other.pid } })
  t.equal(readFileSync(join(folder, 'lock'), 'utf8'), text)
  t.same(readdirSync(folder), ['lock'])
  other.kill('SIGKILL')
  await once(other, 'exit')
  lockFolder(folder).release()
  t.same(readdirSync(folder), [])
})

t.test('a dead process that nobody has asked for loses it', { skip: !hasStarts && 'not known' }, async (t) => {
  const folder = t.testdir({})
  // the shell starts one, and becomes another program, which does not ask for it
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => parent.kill('SIGKILL'))
  const [line] = await once(parent.stdout, 'data')
  const pid = Number(String(line))
  const fields = (): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')
  const program = (): string => readFileSync(`/proc/${parent.pid}/comm`, 'latin1').trim()
  while (program() !== 'sleep') await new Promise((resolve) => setImmediate(resolve))
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid, started: fields()[21] }))
  process.kill(pid, 'SIGKILL')
  while (fields()[2] !== 'Z') await new Promise((resolve) => setImmediate(resolve))
  t.ok(process.kill(pid, 0), 'its number is still taken')
  lockFolder(folder).release()
  t.same(readdirSync(folder), [])
})

t.test('a number that another process has by now', { skip: !hasStarts && 'starts are not known' }, async (t) => {
  const folder = t.testdir({})
  for (const pid of [process.pid, process.ppid]) {
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid, started: '1' }))
    lockFolder(folder).release()
    t.same(readdirSync(folder), [])
  }
})

t.test('what makes no sense is taken over', async (t) => {
  for (const text of ['', 'x', '{}', '[]', 'null', '{"pid":"1","started":""}', '{"pid":1.5,"started":""}']) {
    const folder = t.testdir({ lock: text })
    lockFolder(folder).release()
    t.same(readdirSync(folder), [])
  }
  const folder = t.testdir({ lock: {} })
  lockFolder(folder).release()
  t.same(readdirSync(folder), [])
})

t.test('what was taken by another in the meantime is left alone', async (t) => {
  const folder = t.testdir({})
  const lock = lockFolder(folder)
  writeFileSync(join(folder, 'lock'), 'of another')
  lock.release()
  t.equal(readFileSync(join(folder, 'lock'), 'utf8'), 'of another')
})

t.test('a folder that is not there', async (t) => {
  const folder = join(t.testdir({}), 'none')
  t.throws(() => lockFolder(folder), { code: 'FOLDER_UNUSABLE' })
  mkdirSync(folder)
  lockFolder(folder).release()
})
