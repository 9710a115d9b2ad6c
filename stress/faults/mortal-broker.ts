/**
 * The program `merlot` in a process that ends its own threads when its standard input says so: `kill shard 0`,
 * `kill connection 0`, `kill storage 0`, `pause storage MILLISECONDS`; `strike storage 0` ends it within a transaction.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Piscina } from 'piscina'
import { WriteGate } from '../../src/base/write-gate.js'
import type { StorageTask } from '../../src/contracts/threads.js'

/** By the name of the file that their threads run. */
const pools = new Map<string, Piscina>()

/** A thread ended within a transaction of LMDB takes the process with it: `kill` ends ours between two. */
let gate = new WriteGate()
const GATE_MS = 10_000
/** Under load transactions follow each other closely. */
const TRANSACTION_MS = 2_000

const { run } = Piscina.prototype
Piscina.prototype.run = function (...task: Parameters<typeof run>) {
  const kind = /(\w+)\.js$/.exec(this.options.filename ?? '')?.[1]
  if (kind !== undefined) pools.set(kind, this)
  if (kind === 'storage') gate = new WriteGate((task[0] as StorageTask).gate)
  return run.apply(this, task)
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [order, kind, argument] = line.split(' ')
  if (order === 'pause') {
    pauseSyncs(Number(argument))
    return
  }
  if (order === 'strike') awaitTransaction()
  else if (kind === 'storage' && !gate.shut(GATE_MS)) process.kill(process.pid, 'SIGKILL')
  const threads = pools.get(kind)?.threads ?? []
  void threads[Number(argument) % threads.length]?.terminate()
})

/** Blocks this thread, so that no other is quicker than what follows. */
function awaitTransaction(): void {
  const endMs = performance.now() + TRANSACTION_MS
  while (!gate.isEntered && performance.now() < endMs);
}

/** Under power-cut.c a sync waits while this file is there, and with it the thread that writes the store. */
function pauseSyncs(ms: number): void {
  const folder = process.env.POWER_CUT_FOLDER
  if (folder === undefined) return
  const file = join(folder, 'pause')
  writeFileSync(file, '')
  setTimeout(() => rmSync(file, { force: true }), ms)
}

await import('../../src/cli/main.js')
