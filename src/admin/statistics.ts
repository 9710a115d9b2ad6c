/** Figures of the broker for people, as JSON below `$SYS/Coreflux`: what passes through it, and what it takes for that. */
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import type { CounterName } from '../contracts/counters.js'

export type Totals = Readonly<Record<CounterName, number>>

interface Reading {
  readonly atMs: number
  readonly totals: Totals
  readonly cpuMicros: number
}

export class Statistics {
  readonly #startedMs: number
  #last: Reading | undefined

  constructor(startedMs: number) {
    this.#startedMs = startedMs
  }

  /**
   * Rates are those since the last call, or since the start.
   * @returns texts by topic below `$SYS/Coreflux/`
   */
  read(nowMs: number, totals: Totals): ReadonlyMap<string, string> {
    const { user, system } = process.cpuUsage()
    const reading = { atMs: nowMs, totals, cpuMicros: user + system }
    const before = this.#last
    const seconds = Math.max(0.001, (nowMs - (before?.atMs ?? this.#startedMs)) / 1_000)
    const rate = (name: CounterName): number => {
      return Math.round((10 * (totals[name] - (before?.totals[name] ?? 0))) / seconds) / 10
    }
    this.#last = reading
    const cpuMicros = reading.cpuMicros - (before?.cpuMicros ?? 0)
    return new Map([
      ['Stats', JSON.stringify(this.#stats(nowMs, totals, rate))],
      ['Resources/Memory', JSON.stringify(memoryFigures())],
      ['Resources/CPU', JSON.stringify(cpuFigures(cpuMicros / (seconds * 10_000)))],
    ])
  }

  #stats(nowMs: number, totals: Totals, rate: (name: CounterName) => number): object {
    return {
      timestampUtc: new Date(nowMs).toISOString(),
      uptimeSeconds: Math.floor((nowMs - this.#startedMs) / 1_000),
      connections: totals.connectionsOpen,
      sessions: totals.sessions,
      subscriptions: totals.subscriptions + totals.sharedSubscriptions,
      retainedMessages: totals.retainedMessages,
      waitingMessages: totals.messagesStored,
      messagesReceived: totals.publishReceived,
      messagesSent: totals.publishSent,
      bytesReceived: totals.bytesReceived,
      bytesSent: totals.bytesSent,
      messagesReceivedPerSecond: rate('publishReceived'),
      messagesSentPerSecond: rate('publishSent'),
      bytesReceivedPerSecond: rate('bytesReceived'),
      bytesSentPerSecond: rate('bytesSent'),
    }
  }
}

function memoryFigures(): object {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  return {
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    systemTotalBytes: totalmem(),
    systemFreeBytes: freemem(),
  }
}

/** @param percent of one core; 200 are two cores at work */
function cpuFigures(percent: number): object {
  const [load1, load5, load15] = loadavg()
  return { percent: Math.round(percent * 10) / 10, cores: availableParallelism(), load1, load5, load15 }
}
