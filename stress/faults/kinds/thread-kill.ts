import type { Random } from '../../load/random.js'
import type { FaultKind, Scene } from './kind.js'

const EFFECT_MS = 5_000
const PAUSE_SHARE = 0.3
const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 1_000

/** The broker ends one of its own threads without warning; it must start it anew and give back what it held. */
export const shardKill: FaultKind = {
  name: 'shard',
  strike: (scene, random) => killThread(scene, `shard ${random.integer(scene.shards)}`),
}

export const connectionKill: FaultKind = {
  name: 'connection',
  strike: (scene) => killThread(scene, 'connection 0'),
}

/** The storage thread dies, or stands still for a moment. */
export const storageFault: FaultKind = {
  name: 'storage',
  async strike(scene, random) {
    if (random.next() < PAUSE_SHARE) await pauseStorage(scene, random)
    else await scene.excuse(() => killThread(scene, 'storage 0'))
  },
}

/** A killed thread is seen by its number vanishing, where the system shows threads. */
async function killThread({ broker, ledger, until }: Scene, thread: string): Promise<void> {
  const before = broker.threads()
  broker.order(`kill ${thread}`)
  const isGone = (): boolean => {
    const now = broker.threads()
    return before !== undefined && now !== undefined && [...before].some((id) => !now.has(id))
  }
  if (before !== undefined && !(await until(isGone, EFFECT_MS))) {
    ledger.violations.add('fault', `kill ${thread}: no thread of the broker ended within ${EFFECT_MS} ms`)
  }
  if (!broker.isRunning) throw new Error(`the broker did not survive the death of ${thread}\n${broker.output}`)
}

async function pauseStorage(scene: Scene, random: Random): Promise<void> {
  const pauseMs = PAUSE_MS_MIN + random.integer(PAUSE_MS_MAX - PAUSE_MS_MIN + 1)
  await scene.excuse(async () => {
    scene.broker.order(`pause storage ${pauseMs}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  })
}
