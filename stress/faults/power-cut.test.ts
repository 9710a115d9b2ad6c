/** The power cut itself: what LMDB had synced is there afterwards, and only that. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../load/random.js'
import { buildPowerShim, cutPower } from './power-shim.js'

const LMDB = import.meta.resolve('lmdb')
const PROGRAM = `
import { open } from '${LMDB}'
const [path, settings, transactions] = process.argv.slice(2)
const binary = { encoding: 'binary', keyEncoding: 'binary' }
const env = open({ path, cache: false, ...binary, ...JSON.parse(settings) })
const db = env.openDB('numbers', binary)
const key = (number) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(number); return bytes }
let next = db.getCount({ limit: 1e9 })
for (let number = 0; number < next; number++) if (db.get(key(number))?.[0] !== number % 256) throw new Error('damaged')
process.stdout.write('found ' + next + '\\n')
for (let transaction = 0; transaction < Number(transactions); transaction++) {
  env.transactionSync(() => {
    for (const end = next + 10; next < end; next++) db.putSync(key(next), Buffer.alloc(100 + next % 6000, next % 256))
  })
}
process.stdout.write('wrote ' + next + '\\n')
process.kill(process.pid, 'SIGKILL')
`

const folder = await mkdtemp(join(tmpdir(), 'merlot-power-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const program = join(folder, 'program.mjs')
await writeFile(program, PROGRAM)
const shadows = join(folder, 'shadows')
await mkdir(shadows)
const shim = await buildPowerShim(folder, shadows)
const skip = typeof shim === 'string' ? shim : false
const environment = typeof shim === 'string' ? {} : shim.environment

/** @returns how many entries the program found and how many there were when it killed itself */
async function write(data: string, settings: object, transactions: number) {
  const child = spawn(process.execPath, [program, data, JSON.stringify(settings), String(transactions)], {
    env: { ...process.env, ...environment },
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'close')
  const [found, wrote] = [/found (\d+)/, /wrote (\d+)/].map((pattern) => Number(pattern.exec(said)?.[1] ?? Number.NaN))
  if (Number.isNaN(wrote)) throw new Error(said)
  return { found, wrote }
}

async function freshFolder(name: string): Promise<{ data: string; file: string }> {
  const data = join(folder, name)
  await mkdir(data)
  return { data, file: join(data, 'data.mdb') }
}

const SYNCED = { overlappingSync: false }
const UNSYNCED = { overlappingSync: false, noSync: true }

t.test('with a sync before each commit returns, nothing is lost, again and again', { skip }, async (t) => {
  const { data, file } = await freshFolder('synced')
  let expected = 0
  for (const survivors of [undefined, seededRandom(1), undefined]) {
    const { found, wrote } = await write(data, SYNCED, 30)
    t.equal(found, expected)
    expected = wrote
    await cutPower(file, shadows, survivors)
  }
  t.equal((await write(data, SYNCED, 0)).found, 900)
})

t.test('without syncs everything since the last one is lost', { skip }, async (t) => {
  const { data, file } = await freshFolder('unsynced')
  t.equal((await write(data, SYNCED, 10)).wrote, 100)
  t.equal((await write(data, UNSYNCED, 20)).wrote, 300)
  const { unsynced, survived } = await cutPower(file, shadows, undefined)
  t.ok(unsynced > 20)
  t.equal(survived, 0)
  t.equal((await write(data, SYNCED, 0)).found, 100)
})

t.test('a process that ends leaves what it had not synced to the next loss of power', { skip }, async (t) => {
  const { data, file } = await freshFolder('inherited')
  t.equal((await write(data, SYNCED, 10)).wrote, 100)
  t.equal((await write(data, UNSYNCED, 20)).wrote, 300)
  t.equal((await write(data, UNSYNCED, 0)).found, 300, 'the system still has it')
  await cutPower(file, shadows, undefined)
  t.equal((await write(data, SYNCED, 0)).found, 100)
})

t.test('a file without shadow is told', { skip }, async (t) => {
  const { data } = await freshFolder('foreign')
  await copyFile(program, join(data, 'data.mdb'))
  await t.rejects(cutPower(join(data, 'data.mdb'), shadows, undefined), { code: 'ENOENT' })
})
