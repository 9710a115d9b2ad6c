import { open } from 'node:fs/promises'
import { type BrokerUnderTest, brokerUnderTest } from '../load/broker-under-test.js'
import { AckBuffer, type ClientContext } from '../load/client.js'
import { mebibytes } from '../load/report.js'
import { whole } from '../load/report-text.js'
import type { StatusLine } from '../load/status-line.js'
import { Dialer } from '../load/transport.js'
import { type Mix, makeMix } from './mix.js'
import type { SoakOptions } from './options.js'
import { type Sample, Sampler } from './sample.js'
import { judgeSoak, type SoakVerdict } from './verdict.js'

const STEP_MS = 250

/**
 * Runs a soak test and writes its samples as it goes, so that a run that is cut off leaves them.
 * @param signal ends it early, with a verdict
 * @throws Error when the broker cannot be started or reached, or the samples cannot be written
 */
export async function runSoak(options: SoakOptions, status: StatusLine, signal: AbortSignal): Promise<SoakVerdict> {
  const broker = await brokerUnderTest(options)
  let outcome: Awaited<ReturnType<typeof conduct>>
  let trouble: string | undefined
  try {
    outcome = await conduct(options, broker, status, signal)
  } finally {
    status.clear()
    trouble = await broker.stop()
  }
  const { samples, strands, activities } = outcome
  return judgeSoak(samples, strands, activities, trouble === undefined ? [] : [trouble])
}

async function conduct(options: SoakOptions, broker: BrokerUnderTest, status: StatusLine, signal: AbortSignal) {
  const { version, seed, ratePerSecond } = options
  const { userName, password } = broker.target
  const context: ClientContext = { dialer: new Dialer(broker.target), acks: new AckBuffer(), readMicros: 0 }
  const prefix = `soak-${seed}-${process.pid}`
  const mix = makeMix({ prefix, version, seed, ratePerSecond, userName, password }, context)
  try {
    return await soak(mix, options, broker.pid, status, signal)
  } catch (error) {
    await mix.abandon()
    throw error
  }
}

async function soak(mix: Mix, options: SoakOptions, pid: number | undefined, status: StatusLine, signal: AbortSignal) {
  await mix.open()
  mix.start()
  for (const lanes of mix.activities) lanes.isMeasuring = true
  const samples = await watch(mix, options, pid, status, signal)
  await mix.stop()
  const strands = mix.strands.map(({ name, qos, traffic }) => {
    return { name, qos, counts: traffic.counts(), losses: traffic.losses }
  })
  const activities = mix.activities.map((lanes) => lanes.report())
  await mix.close()
  return { samples, strands, activities }
}

async function watch(
  mix: Mix,
  options: SoakOptions,
  pid: number | undefined,
  status: StatusLine,
  signal: AbortSignal,
): Promise<Sample[]> {
  const samples: Sample[] = []
  const sampler = new Sampler(mix, pid)
  await using file = await open(options.samplesFile, 'w')
  const startMs = performance.now()
  let nextMs = startMs + options.sampleSeconds * 1_000
  const endMs = startMs + options.seconds * 1_000
  for (let nowMs = startMs; nowMs < endMs && !signal.aborted; nowMs = performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(STEP_MS, nextMs - nowMs, endMs - nowMs))))
    if (performance.now() >= nextMs || signal.aborted) {
      const sample = sampler.take()
      samples.push(sample)
      nextMs += options.sampleSeconds * 1_000
      await file.write(`${JSON.stringify(sample)}\n`)
    }
    status.show(() => statusText(samples.at(-1), (endMs - performance.now()) / 1_000))
  }
  return samples
}

function statusText(sample: Sample | undefined, secondsLeft: number): string {
  const left = `${(Math.max(0, secondsLeft) / 60).toFixed(1)} min left`
  if (sample === undefined) return left
  const memory = sample.memoryBytes === undefined ? '' : `, broker ${mebibytes(sample.memoryBytes)} MiB`
  const latency = `p99 ${whole(sample.latencyUsP99)} µs`
  return `${left}, ${whole(sample.deliveredPerSecond)} deliveries/s, ${latency}${memory}`
}
