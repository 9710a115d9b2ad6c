import { cpus } from 'node:os'
import type { LatencySummary } from './histogram.js'
import type { LanesReport } from './lanes.js'
import type { MemoryVerdict } from './memory-growth.js'
import type { LoadOptions } from './options.js'
import type { Figures } from './scenarios.js'
import type { TrafficCounts } from './traffic.js'
import type { BrokerUsage } from './usage-meter.js'

/** What was found out, before it is judged. */
export interface Findings {
  readonly url: string
  readonly options: Pick<LoadOptions, 'scenario' | 'figures' | 'version' | 'isPersistent' | 'seed'>
  /** The part of the run that the rates and latencies are about. */
  readonly measuredSeconds: number
  readonly measuredSent: number
  readonly measuredDelivered: number
  readonly counts: TrafficCounts
  readonly losses: readonly string[]
  readonly latency: LatencySummary
  readonly activity: LanesReport | undefined
  readonly broker: BrokerUsage | undefined
  /** Bytes of each idle connection, where there are any. */
  readonly memoryBytesPerConnection: number | undefined
  readonly memory: MemoryVerdict | undefined
  /** Messages per second that must have been sent, where that is judged. */
  readonly ratePerSecondExpected: number | undefined
  readonly loadCpuCores: number
  /** Something else that went wrong, such as a broker of ours that ended badly. */
  readonly trouble: readonly string[]
}

/** The report as it is written to JSON. Names carry unit and bound. */
export interface Report {
  readonly scenario: string
  readonly url: string
  readonly protocol: '3.1.1' | '5'
  readonly isPersistent: boolean
  readonly seed: number
  readonly figures: Figures
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string; readonly platform: string }
  readonly measuredSeconds: number
  readonly sentPerSecond: number
  readonly deliveredPerSecond: number
  readonly counts: TrafficCounts
  readonly latency: LatencySummary
  readonly activity: (LanesReport & { readonly perSecond: number }) | undefined
  readonly broker: BrokerUsage | undefined
  readonly memoryBytesPerConnection: number | undefined
  readonly memory: MemoryVerdict | undefined
  readonly loadCpuCores: number
  readonly failures: readonly string[]
}

export function makeReport(findings: Findings): Report {
  const { options, measuredSeconds, activity } = findings
  return {
    scenario: options.scenario.name,
    url: findings.url,
    protocol: options.version === 5 ? '5' : '3.1.1',
    isPersistent: options.isPersistent,
    seed: options.seed,
    figures: options.figures,
    machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version, platform: process.platform },
    measuredSeconds,
    sentPerSecond: findings.measuredSent / measuredSeconds,
    deliveredPerSecond: findings.measuredDelivered / measuredSeconds,
    counts: findings.counts,
    latency: findings.latency,
    activity: activity && { ...activity, perSecond: activity.done / measuredSeconds },
    broker: findings.broker,
    memoryBytesPerConnection: findings.memoryBytesPerConnection,
    memory: findings.memory,
    loadCpuCores: findings.loadCpuCores,
    failures: failuresOf(findings),
  }
}

/** What a broker must not do, found in the counts of a traffic. QoS 1 is the only level that may repeat a message. */
export function trafficFailures(counts: TrafficCounts, qos: number, losses: readonly string[]): string[] {
  const failures: string[] = []
  const judge = (count: number, what: string): void => {
    if (count > 0) failures.push(`${count} ${what}`)
  }
  judge(counts.lost, 'deliveries lost')
  if (qos > 0) judge(counts.slowLost, 'deliveries to slow readers lost')
  if (qos !== 1) judge(counts.duplicated, `deliveries repeated at QoS ${qos}`)
  judge(counts.outOfOrder, 'deliveries out of order')
  judge(counts.unexpected, 'messages where none was to arrive')
  judge(counts.refused, 'messages refused by the broker')
  judge(counts.unacknowledged, 'messages never acknowledged')
  judge(counts.connectionsLost, `connections lost${losses.length > 0 ? `, first ${losses[0]}` : ''}`)
  if (counts.sent > 0 && counts.delivered === 0) failures.push('nothing was delivered')
  return failures
}

/** Part of the rate that a broker must keep up with. */
const RATE_SHARE_MIN = 0.95

function failuresOf(findings: Findings): string[] {
  const { counts, options, activity, memory, losses, trouble } = findings
  const failures = trafficFailures(counts, options.figures.qos, losses)
  if (activity !== undefined && activity.failed > 0) {
    failures.push(`${activity.failed} ${activity.name} failed, first ${activity.reasons[0]}`)
  }
  if (activity !== undefined && activity.done === 0) failures.push(`no ${activity.name} succeeded`)
  if (memory !== undefined && !memory.isFlat) {
    failures.push(`memory of the broker grew by ${mebibytes(memory.growthBytes)} MiB while it was measured`)
  }
  const rate = findings.measuredSent / findings.measuredSeconds
  const expected = findings.ratePerSecondExpected
  if (expected !== undefined && rate < RATE_SHARE_MIN * expected) {
    failures.push(`the broker kept up with ${Math.round(rate)} of ${expected} messages a second`)
  }
  return [...failures, ...trouble]
}

export function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1)
}
