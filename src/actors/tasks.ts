/** What each thread is started with: its part of the wiring, and what all of them share. */
import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/schema.js'
import type { LotTask } from '../contracts/lot.js'
import type { ConnectionTask, ShardTask, StorageTask, ThreadTask } from '../contracts/threads.js'
import type { TaskPorts } from './thread-pool.js'
import type { Seat, Wiring } from './wiring.js'

export interface TaskParts {
  readonly wiring: Wiring
  readonly config: BrokerConfig
  readonly clock: SharedArrayBuffer
}

export function storageTask(parts: TaskParts, ports: TaskPorts): StorageTask {
  const { wiring } = parts
  return {
    ...common(parts, ports, wiring.storage, 0),
    gate: wiring.gate.shared,
    shards: wiring.stores,
    shardDoorbells: doorbells(wiring.shards),
  }
}

/** @param isStored whether there is a storage thread */
export function shardTask(parts: TaskParts, ports: TaskPorts, index: number, isStored: boolean): ShardTask {
  const { wiring } = parts
  return {
    ...common(parts, ports, wiring.shards[index], index),
    connections: wiring.pairsOfShard(index),
    connectionDoorbells: doorbells(wiring.connections),
    peersIn: wiring.peersInto(index),
    peersOut: wiring.peersOutOf(index),
    limits: wiring.limits,
    shardDoorbells: doorbells(wiring.shards),
    lot: wiring.lotLinks[index],
    lotDoorbell: wiring.lot.doorbell,
    storage: isStored ? { ...wiring.storeOf(index), doorbell: wiring.storage.doorbell } : undefined,
  }
}

/** @param events for `LotEvent`s */
export function lotTask(parts: TaskParts, ports: TaskPorts, events: MessagePort): LotTask {
  const { wiring } = parts
  return {
    ...common(parts, ports, wiring.lot, 0),
    events,
    shards: wiring.lotLinks,
    shardDoorbells: doorbells(wiring.shards),
  }
}

/** @param reports for `BanReport`s */
export function connectionTask(
  parts: TaskParts,
  ports: TaskPorts,
  index: number,
  { controlToken, reports }: Pick<ConnectionTask, 'controlToken' | 'reports'>,
): ConnectionTask {
  const { wiring } = parts
  const threads = wiring.connections.length
  return {
    ...common(parts, ports, wiring.connections[index], index),
    controlToken,
    threads,
    reports,
    shards: wiring.pairsOfConnection(index),
    shardDoorbells: doorbells(wiring.shards),
    limits: wiring.limits,
    ticketSecret: wiring.ticketSecret,
    sharesPorts: threads > 1,
  }
}

function common({ wiring, config, clock }: TaskParts, ports: TaskPorts, seat: Seat, index: number): ThreadTask {
  return { ...ports, ...seat, index, config, clock, totals: wiring.totals }
}

function doorbells(seats: readonly Seat[]): SharedArrayBuffer[] {
  return seats.map(({ doorbell }) => doorbell)
}
