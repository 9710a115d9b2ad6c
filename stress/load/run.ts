import { type BrokerUnderTest, brokerUnderTest } from './broker-under-test.js'
import { AckBuffer, type ClientContext } from './client.js'
import { connectionStorm } from './connection-storm.js'
import type { Identity } from './identity.js'
import type { Lanes } from './lanes.js'
import { judgeMemory } from './memory-growth.js'
import type { LoadOptions } from './options.js'
import { seededRandom } from './random.js'
import { makeReport, mebibytes, type Report } from './report.js'
import { whole } from './report-text.js'
import { planOf } from './scenarios.js'
import type { StatusLine } from './status-line.js'
import { subscriptionChurn } from './subscription-churn.js'
import { Traffic } from './traffic.js'
import { Dialer } from './transport.js'
import { UsageMeter } from './usage-meter.js'

/** How often memory and the status line are looked after. */
const STEP_MS = 250
/** For the broker to notice that everybody has left, before its memory is looked at. */
const SETTLE_MS = 1_000
/** A trend over less is not worth judging. */
const TREND_SECONDS_MIN = 30

/** A run in the making. */
interface Stage {
  readonly options: LoadOptions
  readonly broker: BrokerUnderTest
  readonly traffic: Traffic
  readonly activity: Activity | undefined
  readonly meter: UsageMeter
  readonly status: StatusLine
  readonly signal: AbortSignal
}

interface Activity {
  readonly lanes: Lanes
  open(): Promise<void>
  close(): void
}

/**
 * Runs one scenario.
 * @param signal ends warm-up and measurement early; what was measured until then is reported
 * @throws Error when the broker cannot be started or reached, or refuses a client
 */
export async function runLoad(options: LoadOptions, status: StatusLine, signal: AbortSignal): Promise<Report> {
  const broker = await brokerUnderTest(options)
  let trouble: string | undefined
  let findings: Awaited<ReturnType<typeof conduct>>
  let stage: Stage | undefined
  try {
    stage = stageOf(options, broker, status, signal)
    findings = await conduct(stage)
  } catch (error) {
    stage?.traffic.abandon()
    stage?.activity?.close()
    throw error
  } finally {
    status.clear()
    trouble = await broker.stop()
  }
  return makeReport({ ...findings, url: broker.target.url, options, trouble: trouble === undefined ? [] : [trouble] })
}

function stageOf(options: LoadOptions, broker: BrokerUnderTest, status: StatusLine, signal: AbortSignal): Stage {
  const { scenario, figures, version, isPersistent, seed } = options
  // The process number keeps two runs with one seed apart.
  const prefix = `load-${seed}-${process.pid}`
  const context: ClientContext = { dialer: new Dialer(broker.target), acks: new AckBuffer(), readMicros: 0 }
  const { userName, password } = broker.target
  const { qos, payloadBytes, window, ratePerSecond } = figures
  const trafficOptions = { prefix, qos, retain: false, payloadBytes, window, ratePerSecond, version, isPersistent }
  const plan = planOf(scenario, figures, prefix, seed)
  const identity = { clientId: `${prefix}-x`, version, isPersistent: false, keepAliveSeconds: 0, userName, password }
  return {
    options,
    broker,
    traffic: new Traffic(plan, trafficOptions, context, { userName, password }),
    activity: activityOf(options, context, identity, prefix),
    meter: new UsageMeter(broker.pid),
    status,
    signal,
  }
}

function activityOf(
  { scenario, figures, seed }: LoadOptions,
  context: ClientContext,
  identity: Identity,
  prefix: string,
): Activity | undefined {
  const random = seededRandom(seed + 1)
  switch (scenario.activity) {
    case 'connectionStorm': {
      const lanes = connectionStorm(context, identity, figures.connections, 0, random)
      return { lanes, open: () => Promise.resolve(), close: () => {} }
    }
    case 'subscriptionChurn':
      return subscriptionChurn(context, identity, figures.connections, 0, random, prefix)
    case undefined:
      return undefined
  }
}

async function conduct(stage: Stage) {
  const { options, broker, traffic, activity, meter, status, signal } = stage
  const { figures, scenario } = options
  await traffic.open((connected, total) => status.show(() => `connecting: ${whole(connected)} of ${whole(total)}`))
  await activity?.open()
  traffic.start()
  activity?.lanes.start()
  await pass(stage, 'warm-up', figures.warmupSeconds, signal)

  traffic.ledger.isMeasuring = true
  if (activity !== undefined) activity.lanes.isMeasuring = true
  meter.startMeasuring()
  const from = { ms: performance.now(), cpu: process.cpuUsage(), ...tally(traffic) }
  await pass(stage, scenario.name, figures.seconds, signal)
  const measuredSeconds = (performance.now() - from.ms) / 1_000
  const cpu = process.cpuUsage(from.cpu)
  const to = tally(traffic)
  meter.stopMeasuring()
  traffic.ledger.recordRun()
  const latency = traffic.ledger.latency.summary()
  traffic.ledger.isMeasuring = false
  const activityReport = activity?.lanes.report()

  status.show(() => 'waiting for what is under way')
  await activity?.lanes.stop()
  await traffic.stop()
  const counts = traffic.counts()
  const samples = meter.samples.filter(({ seconds }) => seconds * 1_000 >= from.ms)
  activity?.close()
  await traffic.close()
  if (broker.pid !== undefined) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const judgesTrend = scenario.judgesTrend === true && measuredSeconds >= TREND_SECONDS_MIN
  const measuredDelivered = to.delivered - from.delivered
  return {
    measuredSeconds,
    measuredSent: to.sent - from.sent,
    measuredDelivered,
    counts,
    losses: traffic.losses,
    latency,
    activity: activityReport,
    memoryBytesPerConnection: perConnection(figures.connections, scenario.name, meter),
    memory: judgesTrend && samples.length > 0 ? judgeMemory(samples) : undefined,
    ratePerSecondExpected: judgesTrend ? figures.ratePerSecond : undefined,
    broker: meter.report(measuredSeconds, measuredDelivered),
    loadCpuCores: (cpu.user + cpu.system) / 1e6 / measuredSeconds,
  }
}

function tally(traffic: Traffic): { sent: number; delivered: number } {
  return { sent: traffic.ledger.sentTotal(), delivered: traffic.ledger.delivered }
}

/** Lets time pass, with an eye on memory and the status line. */
async function pass({ traffic, meter, status }: Stage, phase: string, seconds: number, signal: AbortSignal) {
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  let earlier = { ms: startMs, ...tally(traffic) }
  for (let nowMs = startMs; nowMs < endMs && !signal.aborted; nowMs = performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(STEP_MS, endMs - nowMs)))
    const memoryBytes = meter.sample(performance.now() / 1_000)
    const now = { ms: performance.now(), ...tally(traffic) }
    const rate = ((now.delivered - earlier.delivered) * 1_000) / (now.ms - earlier.ms)
    earlier = now
    const left = Math.max(0, (endMs - now.ms) / 1_000)
    const memory = memoryBytes === undefined ? '' : `, broker ${mebibytes(memoryBytes)} MiB`
    status.show(() => `${phase}: ${left.toFixed(0)} s left, ${whole(rate)} deliveries/s${memory}`)
  }
}

function perConnection(connections: number, scenario: string, meter: UsageMeter): number | undefined {
  const last = meter.samples.at(-1)
  if (scenario !== 'idle' || last === undefined || meter.memoryBytesBefore === undefined) return undefined
  return (last.value - meter.memoryBytesBefore) / Math.max(1, connections)
}
