/** The LoT thread: takes messages from the shards' rings, has runners execute what is deployed, publishes what they say. */
import { availableParallelism } from 'node:os'
import type { MessagePort } from 'node:worker_threads'
import { BatchPool } from '../src/actors/batch-pool.js'
import { SharedClock } from '../src/base/clock.js'
import { entryFile } from '../src/base/entry-file.js'
import { stackOf } from '../src/base/errors.js'
import { createPortLogger } from '../src/base/log-port.js'
import { Reactor } from '../src/base/reactor.js'
import { serve } from '../src/base/rpc.js'
import { adoptConfig } from '../src/config/live.js'
import { openCounters } from '../src/contracts/counters.js'
import type { LotApi, LotEvent, LotTask } from '../src/contracts/lot.js'
import type { RunnerResult, RunnerSetup, RunnerTask } from '../src/contracts/lot-batch.js'
import { LotHost, progressBytes, threadsMax, threadsReady } from '../src/lot-host/host.js'
import { Shards } from '../src/lot-host/shards.js'

const THREADS_MIN = 2
const THREADS_AUTO_MAX = 8

export default async function run(task: LotTask): Promise<void> {
  const { config, events } = task
  const log = createPortLogger(config.log, task.log).area('lot')
  const shards = new Shards(task.shards, task.shardDoorbells)
  const { workers } = config.lot
  const threads =
    workers === 'auto' ? Math.min(THREADS_AUTO_MAX, Math.max(THREADS_MIN, availableParallelism() - 1)) : workers
  const setup: RunnerSetup = {
    config: { lot: config.lot, models: config.models, compat: config.compat, python: config.python },
    clock: task.clock,
    progress: new SharedArrayBuffer(progressBytes(threads)),
  }
  let pool: BatchPool<RunnerTask, RunnerResult> | undefined
  /** Threads are started when there is something to run. */
  const openPool = (): BatchPool<RunnerTask, RunnerResult> => {
    pool ??= new BatchPool(entryFile('lot-runner'), {
      threads: threadsReady(threads),
      threadsMax: threadsMax(threads),
      heapBytesMax: config.lot.heapBytesMax,
      setup,
      onMessage: (message) => {
        const { callPort } = message as { readonly callPort: MessagePort }
        events.postMessage({ kind: 'runner', port: callPort } satisfies LotEvent, [callPort])
      },
      onError: (error) => log.error('a runner of Actions and Models died', { error: stackOf(error) }),
    })
    return pool
  }
  const host = new LotHost({
    config,
    clock: new SharedClock(task.clock),
    log,
    counters: openCounters(task.counters),
    shards,
    tell: (event: LotEvent) => events.postMessage(event),
    runners: { run: (batch, end) => openPool().run(batch, [batch.events], end) },
    threads,
    progress: setup.progress,
    poke: () => reactor.poke(),
  })
  const reactor = new Reactor(
    task.doorbell,
    () => host.work(),
    () => shards.flush(),
    () => shards.hasInput,
  )
  const api: LotApi = {
    install: async (definitions) => {
      if (definitions.length > 0) openPool()
      await host.install(definitions)
    },
    remove: (entities) => host.remove(entities),
    setEnvironment: (changes) => host.setEnvironment(changes),
    runAction: (name, request) => host.runAction(name, request),
    trace: (action, untilMs) => host.trace(action, untilMs),
    state: (entity) => host.entityState(entity),
    giveValues: (number, values) => host.giveValues(number, values),
    lastValue: (topic) => host.lastValue(topic),
    replaceShard: (index, link) => host.replaceShard(index, link),
    tick: () => {
      host.tick()
      reactor.poke()
    },
    reconfigure(next) {
      adoptConfig(config, next)
      log.setLevels(config.log)
    },
    settle: async () => {
      let hadWork = await reactor.settle()
      while (!host.isIdle) {
        hadWork = true
        await new Promise<void>((resolve) => setTimeout(resolve, 1))
        await reactor.settle()
      }
      return hadWork
    },
  }
  reactor.start()
  await serve(api, task.control)
  reactor.stop()
  host.close()
  events.close()
  await pool?.destroy()
}
