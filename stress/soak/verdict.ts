import type { LanesReport } from '../load/lanes.js'
import { judgeMemory, type MemoryVerdict } from '../load/memory-growth.js'
import { mebibytes, trafficFailures } from '../load/report.js'
import { whole } from '../load/report-text.js'
import type { TrafficCounts } from '../load/traffic.js'
import { growthOver, median } from '../load/trend.js'
import type { Sample } from './sample.js'

/** What one kind of traffic came to. */
export interface StrandResult {
  readonly name: string
  readonly qos: number
  readonly counts: TrafficCounts
  readonly losses: readonly string[]
}

export interface LatencyVerdict {
  readonly latencyUsP99Median: number
  readonly growthUs: number
  readonly allowedUs: number
  readonly isFlat: boolean
}

/** Trends are undefined when they were not judged: too short, or no process to watch. */
export interface SoakVerdict {
  readonly seconds: number
  readonly samples: number
  /** Samples left out of the trends, at the start. */
  readonly warmupSeconds: number
  readonly memory: MemoryVerdict | undefined
  readonly latency: LatencyVerdict | undefined
  readonly strands: readonly StrandResult[]
  readonly activities: readonly LanesReport[]
  readonly failures: readonly string[]
}

const WARMUP_SHARE = 0.1
const WARMUP_SECONDS_MAX = 1_800
/** A trend over less tells how a process warms up, and nothing else. */
export const TREND_SECONDS_MIN = 300
const LATENCY_ALLOWED_US = 2_000
const LATENCY_ALLOWED_SHARE = 0.5

/** @param trouble further reasons to fail */
export function judgeSoak(
  samples: readonly Sample[],
  strands: readonly StrandResult[],
  activities: readonly LanesReport[],
  trouble: readonly string[],
): SoakVerdict {
  const seconds = samples.at(-1)?.seconds ?? 0
  const warmupSeconds = Math.min(WARMUP_SECONDS_MAX, seconds * WARMUP_SHARE)
  const steady = samples.filter((sample) => sample.seconds > warmupSeconds)
  const isLongEnough = seconds - warmupSeconds >= TREND_SECONDS_MIN
  const memory = isLongEnough ? memoryVerdict(steady) : undefined
  const latency = isLongEnough ? latencyVerdict(steady) : undefined
  const failures = strands.flatMap(({ name, qos, counts, losses }) =>
    trafficFailures(counts, qos, losses).map((failure) => `${name}: ${failure}`),
  )
  for (const { name, failed, reasons } of activities) {
    if (failed > 0) failures.push(`${failed} ${name} failed, first ${reasons[0]}`)
  }
  if (memory?.isFlat === false) failures.push(`memory grew by ${mebibytes(memory.growthBytes)} MiB`)
  if (latency?.isFlat === false) failures.push(`p99 of the latency grew by ${whole(latency.growthUs)} µs`)
  failures.push(...trouble)
  return { seconds, samples: samples.length, warmupSeconds, memory, latency, strands, activities, failures }
}

function memoryVerdict(samples: readonly Sample[]): MemoryVerdict | undefined {
  const points = samples.flatMap(({ seconds, memoryBytes: value }) => (value === undefined ? [] : [{ seconds, value }]))
  return points.length < 2 ? undefined : judgeMemory(points)
}

/** The p99 may drift by half of its median, or by 2 ms where that is more: a shared machine moves it by as much. */
function latencyVerdict(samples: readonly Sample[]): LatencyVerdict {
  const points = samples.map(({ seconds, latencyUsP99 }) => ({ seconds, value: latencyUsP99 }))
  const latencyUsP99Median = median(points.map(({ value }) => value))
  const growthUs = Math.round(growthOver(points))
  const allowedUs = Math.max(LATENCY_ALLOWED_US, Math.round(LATENCY_ALLOWED_SHARE * latencyUsP99Median))
  return { latencyUsP99Median, growthUs, allowedUs, isFlat: growthUs <= allowedUs }
}

/** The verdict for a person. */
export function verdictText(verdict: SoakVerdict): string {
  const { memory, latency, strands, activities, failures } = verdict
  const notJudged = `not judged: it takes ${TREND_SECONDS_MIN} s after the warm-up`
  const lines = [
    [
      'duration',
      `${whole(verdict.seconds)} s, ${verdict.samples} samples, ${whole(verdict.warmupSeconds)} s of them warm-up`,
    ],
    [
      'memory',
      memory === undefined
        ? `${notJudged}, and a --pid on Linux`
        : `${mebibytes(memory.growthBytes)} MiB of growth, ${mebibytes(memory.allowedBytes)} allowed`,
    ],
    [
      'latency p99',
      latency === undefined
        ? notJudged
        : `${whole(latency.latencyUsP99Median)} µs, ${whole(latency.growthUs)} of growth, ${whole(latency.allowedUs)} allowed`,
    ],
    ...strands.map(({ name, counts }) => [
      name,
      `${whole(counts.sent)} sent, ${whole(counts.delivered)} delivered, ${whole(counts.lost)} lost, ` +
        `${whole(counts.duplicated)} duplicated, ${whole(counts.outOfOrder)} out of order`,
    ]),
    ...activities.map(({ name, done, failed }) => [name, `${whole(done)} done, ${whole(failed)} failed`]),
    ['verdict', failures.length === 0 ? 'ok' : `FAILED: ${failures.join('; ')}`],
  ]
  return lines.map(([subject, text]) => `${subject.padEnd(14)} ${text}`).join('\n')
}
