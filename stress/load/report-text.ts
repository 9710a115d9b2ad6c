import type { LatencySummary } from './histogram.js'
import { mebibytes, type Report } from './report.js'

/** The report for a person: one line per subject, and only what there is something to say about. */
export function reportText(report: Report): string {
  const lines = [
    ['scenario', scenarioText(report)],
    ['broker', `${report.url}, MQTT ${report.protocol}${report.isPersistent ? ', persistent sessions' : ''}`],
    ...trafficLines(report),
    ...activityLines(report),
    ...brokerLines(report),
    ['load program', `${report.loadCpuCores.toFixed(2)} cores, seed ${report.seed}`],
    ['verdict', report.failures.length === 0 ? 'ok' : `FAILED: ${report.failures.join('; ')}`],
  ]
  return lines.map(([subject, text]) => `${subject.padEnd(14)} ${text}`).join('\n')
}

function scenarioText({ scenario, figures, measuredSeconds }: Report): string {
  const rate = figures.ratePerSecond === 0 ? 'flat out' : `${figures.ratePerSecond}/s`
  const clients = `${figures.publishers} → ${figures.subscribers}, ${figures.connections} further`
  return `${scenario}: ${clients}, QoS ${figures.qos}, ${figures.payloadBytes} bytes, ${rate}, ${measuredSeconds.toFixed(1)} s`
}

function trafficLines({ counts, latency, sentPerSecond, deliveredPerSecond, figures }: Report): string[][] {
  if (figures.publishers === 0) return []
  const megabytes = (deliveredPerSecond * figures.payloadBytes) / 1e6
  const lines = [
    ['sent', `${whole(sentPerSecond)}/s`],
    ['delivered', `${whole(deliveredPerSecond)}/s, ${megabytes.toFixed(1)} MB/s of payload`],
    ['latency', latencyText(latency)],
    [
      'whole run',
      `${whole(counts.sent)} sent, ${whole(counts.delivered)} delivered, ${whole(counts.lost)} lost, ` +
        `${whole(counts.duplicated)} duplicated, ${whole(counts.outOfOrder)} out of order`,
    ],
  ]
  if (counts.slowDelivered + counts.slowLost > 0) {
    lines.push(['slow readers', `${whole(counts.slowDelivered)} delivered, ${whole(counts.slowLost)} dropped`])
  }
  return lines
}

function activityLines({ activity }: Report): string[][] {
  if (activity === undefined) return []
  const text = `${whole(activity.perSecond)}/s, ${activity.failed} failed; ${latencyText(activity)}`
  return [[activity.name, text]]
}

function brokerLines({ broker, memory, memoryBytesPerConnection }: Report): string[][] {
  if (broker === undefined) return []
  const perDelivery =
    broker.cpuUsPerDelivery === undefined ? '' : `, ${broker.cpuUsPerDelivery.toFixed(2)} µs per delivery`
  const { memoryBytesBefore, memoryBytesPeak, memoryBytesAfter } = broker
  const lines = [
    ['broker CPU', `${broker.cpuCores.toFixed(2)} cores${perDelivery}`],
    [
      'broker memory',
      `${mebibytes(memoryBytesBefore)} MiB before, ${mebibytes(memoryBytesPeak)} peak, ${mebibytes(memoryBytesAfter)} after`,
    ],
  ]
  if (memoryBytesPerConnection !== undefined) lines.push(['per connection', `${whole(memoryBytesPerConnection)} bytes`])
  if (memory !== undefined) {
    const { growthBytes, allowedBytes } = memory
    lines.push(['memory trend', `${mebibytes(growthBytes)} MiB while measured, ${mebibytes(allowedBytes)} allowed`])
  }
  return lines
}

function latencyText(latency: LatencySummary): string {
  const { latencyUsP50, latencyUsP99, latencyUsP999, latencyUsMax } = latency
  return `p50 ${whole(latencyUsP50)}, p99 ${whole(latencyUsP99)}, p99.9 ${whole(latencyUsP999)}, max ${whole(latencyUsMax)} µs`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
