import type { KindName } from '../plan.js'
import { fullDisk } from './full-disk.js'
import type { FaultKind } from './kind.js'
import { orderlyRestart } from './orderly-restart.js'
import { pause } from './pause.js'
import { powerCut } from './power-cut.js'
import { processKill } from './process-kill.js'
import { successor } from './successor.js'
import { connectionKill, shardKill, storageFault } from './thread-kill.js'
import { tornStore } from './torn-store.js'

export const KINDS: Readonly<Record<KindName, FaultKind>> = {
  process: processKill,
  restart: orderlyRestart,
  shard: shardKill,
  connection: connectionKill,
  storage: storageFault,
  successor,
  pause,
  full: fullDisk,
  torn: tornStore,
  power: powerCut,
}
