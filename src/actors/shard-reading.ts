/** What the shards read from the store when they start, and what the log says of it. */
import { messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { RestoredCounts, ShardApi, StorageApi } from '../contracts/threads.js'
import { tellAll } from './tell-all.js'
import type { RunningThread } from './thread-pool.js'

/**
 * Waits for the sessions of all shards, and says what came back; messages follow while the broker works.
 * @param storage undefined where nothing is kept on disk
 */
export async function awaitShards(
  shards: readonly RunningThread<ShardApi>[],
  storage: RunningThread<StorageApi> | undefined,
  log: Logger,
): Promise<void> {
  const startedMs = performance.now()
  const counts: RestoredCounts[] = []
  await tellAll(shards, async ({ api }) => counts.push(await api.ready()))
  if (counts.length === 0) return
  const sum = (of: (count: RestoredCounts) => number): number => counts.reduce((total, count) => total + of(count), 0)
  const sessions = sum(({ sessions }) => sessions)
  const { messages, retained } = counts[0]
  const damaged = sum(({ damaged }) => damaged)
  if (damaged > 0) log.error('entries of the store could not be read and are given up', { entries: damaged })
  if (sessions > 0 || messages > 0 || retained > 0) {
    const ms = elapsedMs(startedMs)
    log.info('read from the store; messages follow while the broker works', { sessions, messages, retained, ms })
  }
  awaitMessages(shards, storage, log, messages + retained, startedMs).catch((cause: unknown) => {
    // a shard that dies while it reads is started anew, and reads again
    log.debug('reading the store was interrupted', { reason: messageOf(cause) })
  })
}

async function awaitMessages(
  shards: readonly RunningThread<ShardApi>[],
  storage: RunningThread<StorageApi> | undefined,
  log: Logger,
  messages: number,
  startedMs: number,
): Promise<void> {
  const damaged = await Promise.all(shards.map(({ api }) => api.loaded()))
  const lost = damaged.reduce((total, count) => total + count, 0)
  if (lost > 0) log.error('messages of the store could not be read and are given up', { messages: lost })
  await storage?.api.confirm()
  if (messages > 0) log.info('all messages are read from the store', { messages, ms: elapsedMs(startedMs) })
}

function elapsedMs(startedMs: number): number {
  return Math.round(performance.now() - startedMs)
}
