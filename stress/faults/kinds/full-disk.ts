import { execFile } from 'node:child_process'
import { cp, mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemCode } from '../../../src/base/system-error.js'
import { Bulk } from './bulk.js'
import { type FaultKind, type Scene, STORE_FILE } from './kind.js'

const run = promisify(execFile)
const DISK_BYTES_MIN = 256 * 1_048_576
const FULL_MS_MIN = 500
const FULL_MS_MAX = 2_000
/** A 3.1.1 publisher that got no answer must connect again before it goes on. */
const RECOVERY_MS = 30_000

/** The disk of the data folder is full for a while, and has room again without the broker being started anew. */
export const fullDisk: FaultKind = {
  name: 'full',
  async prepare(folder) {
    const mountPoint = join(folder, 'mount-probe')
    try {
      await mkdir(mountPoint)
      await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint])
      await run('umount', [mountPoint])
      return undefined
    } catch {
      return 'a small file system cannot be mounted: that needs Linux and root'
    }
  },
  async strike(scene, random) {
    const disk = join(scene.folder, 'small-disk')
    if (scene.broker.dataFolder !== disk) await moveTo(disk, scene)
    const filler = join(disk, 'filler')
    const bulk = new Bulk(scene)
    await scene.excuse(async () => {
      const fullMs = FULL_MS_MIN + random.integer(FULL_MS_MAX - FULL_MS_MIN + 1)
      const refused = scene.ledger.counts().refused
      const unanswered = scene.ledger.unanswered()
      await fill(disk, filler)
      await new Promise((resolve) => setTimeout(resolve, fullMs))
      await topUp(disk, filler)
      await bulk.pour()
      const turnedAway = scene.ledger.counts().refused - refused
      const waiting = scene.ledger.unanswered() - unanswered
      scene.note(`disk full: ${turnedAway} publishes refused, ${waiting} more without answer`)
      if (!scene.broker.isRunning) throw new Error(`the broker did not survive a full disk\n${scene.broker.output}`)
      if (!(await scene.canRead())) scene.ledger.violations.add('fault', 'disk full: a new client could not read')
      await rm(filler)
      await recover(scene)
      await bulk.clear()
    })
  },
}

/** Ends the broker in order and goes on with its data on a small file system. */
async function moveTo(disk: string, scene: Scene): Promise<void> {
  await scene.stop()
  await mkdir(disk)
  const { size } = await stat(join(scene.broker.dataFolder, STORE_FILE)).catch(() => ({ size: 0 }))
  const bytes = Math.max(DISK_BYTES_MIN, 2 * size)
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk])
  scene.atEnd(async () => void (await run('umount', [disk])))
  await cp(scene.broker.dataFolder, disk, { recursive: true, preserveTimestamps: true })
  scene.broker.dataFolder = disk
  await scene.start()
}

async function fill(disk: string, filler: string): Promise<void> {
  await using file = await open(filler, 'a')
  const chunk = Buffer.alloc(1_048_576)
  for (let bytes = chunk.length; bytes >= 1; ) {
    try {
      await file.appendFile(chunk.subarray(0, bytes))
    } catch (error) {
      if (systemCode(error) !== 'ENOSPC') throw error
      const { bavail } = await statfs(disk)
      bytes = bavail > 0 ? Math.floor(bytes / 2) : 0
    }
  }
}

/** What the broker itself has given back meanwhile is taken as well. */
async function topUp(disk: string, filler: string): Promise<void> {
  const { bavail } = await statfs(disk)
  if (bavail > 0) await fill(disk, filler)
}

async function recover({ ledger, until }: Scene): Promise<void> {
  const before = ledger.streams.map(({ acknowledged }) => acknowledged)
  const goesOn = (): boolean => ledger.streams.every(({ acknowledged }, nth) => acknowledged > before[nth])
  if (await until(goesOn, RECOVERY_MS)) return
  const stuck = ledger.streams.filter(({ acknowledged }, nth) => acknowledged <= before[nth])
  const text = `no publish acknowledged on ${stuck.map(({ topic }) => topic).join(', ')}`
  ledger.violations.add('fault', `disk full: ${RECOVERY_MS} ms after there was room again, ${text}`)
}
