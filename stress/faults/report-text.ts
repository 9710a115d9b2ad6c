import { whole } from '../load/report-text.js'
import type { FaultReport } from './report.js'
import type { Violation } from './violations.js'

/** Of each kind of violation; the JSON report has more. */
const EXAMPLES_MAX = 3
const NOTES_MAX = 10

/** The report for a person. */
export function reportText(report: FaultReport): string {
  const { counts, violations } = report
  const faults = Object.entries(report.struck).map(([kind, count]) => `${count} ${kind}`)
  const total = Object.values(report.struck).reduce((sum, count) => sum + count, 0)
  const lines = [
    ['faults', `${total} of ${report.planned}${faults.length > 0 ? `: ${faults.join(', ')}` : ''}`],
    ...report.skipped.map(({ kind, reason }) => ['skipped', `${kind}: ${reason}`]),
    ['plan', `seed ${report.seed}, ${report.delayMs.join('–')} ms of load before each, ${report.shards} shards`],
    [
      'published',
      `${whole(counts.published)}, ${whole(counts.publishedAgain)} of them again after a loss of connection`,
    ],
    ['acknowledged', `${whole(counts.acknowledged)}, ${whole(counts.refused)} refused`],
    ['delivered', `${whole(counts.delivered)}`],
    ['rate', rateText(report)],
    ['lost', whole(violations.lost ?? 0)],
    ['QoS 2 repeats', `${whole(violations.qos2Duplicate ?? 0)}; ${whole(counts.retransmitted)} retransmissions`],
    [
      'QoS 1 repeats',
      `${whole(counts.repeatsWithDup)} with DUP, ${whole(counts.repeatsOfPublisher)} without (sent again by a publisher)`,
    ],
    ['out of order', whole(violations.outOfOrder ?? 0)],
    ['retained', `${whole(report.retainedChecks)} checks, ${whole(violations.retained ?? 0)} wrong values`],
    [
      'restarts',
      `${report.restarts}; to the first CONNACK p50 ${whole(report.connackMsP50)}, max ${whole(report.connackMsMax)} ms`,
    ],
    ...report.notes.slice(0, NOTES_MAX).map((note) => ['note', note]),
    ...exampleLines(report),
    ['verdict', report.failures.length === 0 ? 'ok' : `FAILED: ${report.failures.join('; ')}`],
  ]
  return lines.map(([subject, text]) => `${subject.padEnd(14)} ${text}`).join('\n')
}

function exampleLines({ examples }: FaultReport): string[][] {
  const isShown = ({ kind }: Violation, nth: number): boolean =>
    examples.slice(0, nth).filter((earlier) => earlier.kind === kind).length < EXAMPLES_MAX
  return examples.filter(isShown).map(({ kind, afterFaults, text }) => [kind, `after fault ${afterFaults}: ${text}`])
}

function rateText({ acknowledgedPerSecond, deliveredPerSecond, loadSeconds }: FaultReport): string {
  return `${whole(acknowledgedPerSecond)} acknowledged/s, ${whole(deliveredPerSecond)} delivered/s in ${whole(loadSeconds)} s of load`
}
