import type { LedgerCounts } from './ledger.js'
import type { FaultOptions } from './options.js'
import { KIND_NAMES, type KindName, type PlannedFault } from './plan.js'
import type { Trial } from './trial.js'
import { VIOLATIONS, type Violation, type ViolationKind } from './violations.js'

export interface StruckFault extends PlannedFault {
  /** Milliseconds of load before it, as it came. */
  readonly lastedMs: number
}

export interface SkippedKind {
  readonly kind: KindName
  readonly reason: string
}

export interface FaultReport {
  readonly seed: number
  readonly shards: number
  readonly delayMs: readonly [min: number, max: number]
  readonly planned: number
  /** Faults that were struck, by kind. */
  readonly struck: Readonly<Partial<Record<KindName, number>>>
  readonly skipped: readonly SkippedKind[]
  readonly counts: LedgerCounts
  readonly loadSeconds: number
  readonly acknowledgedPerSecond: number
  readonly deliveredPerSecond: number
  readonly retainedChecks: number
  readonly restarts: number
  /** From the start of the process to the first CONNACK. */
  readonly connackMsP50: number
  readonly connackMsMax: number
  readonly violations: Readonly<Partial<Record<ViolationKind, number>>>
  readonly examples: readonly Violation[]
  readonly notes: readonly string[]
  readonly faults: readonly StruckFault[]
  /** Empty when the broker kept its promises. */
  readonly failures: readonly string[]
}

export interface Evidence {
  readonly options: FaultOptions
  readonly skipped: readonly SkippedKind[]
  readonly struck: readonly StruckFault[]
  readonly trial: Pick<Trial, 'ledger' | 'retainedChecks' | 'loadMs'> & {
    readonly stage: Pick<Trial['stage'], 'starts' | 'notes'>
  }
}

export function makeReport({ options, skipped, struck, trial }: Evidence): FaultReport {
  const { ledger, stage, retainedChecks, loadMs } = trial
  const counts = ledger.counts()
  const loadSeconds = loadMs / 1_000
  const connackMs = stage.starts.flatMap(({ connackMs }) => connackMs ?? []).toSorted((a, b) => a - b)
  const perSecond = (count: number): number => (loadSeconds === 0 ? 0 : count / loadSeconds)
  return {
    seed: options.seed,
    shards: options.shards,
    delayMs: [options.delayMsMin, options.delayMsMax],
    planned: options.kills,
    struck: tally(struck),
    skipped,
    counts,
    loadSeconds,
    acknowledgedPerSecond: perSecond(counts.acknowledged),
    deliveredPerSecond: perSecond(counts.delivered),
    retainedChecks,
    restarts: Math.max(0, stage.starts.length - 1),
    connackMsP50: connackMs[Math.floor(connackMs.length / 2)] ?? 0,
    connackMsMax: connackMs.at(-1) ?? 0,
    violations: Object.fromEntries(ledger.violations.counts),
    examples: ledger.violations.examples,
    notes: stage.notes,
    faults: struck,
    failures: failuresOf(counts, [...ledger.violations.counts], retainedChecks),
  }
}

function tally(struck: readonly StruckFault[]): Partial<Record<KindName, number>> {
  const counts: Partial<Record<KindName, number>> = {}
  for (const kind of KIND_NAMES) {
    const count = struck.filter((fault) => fault.kind === kind).length
    if (count > 0) counts[kind] = count
  }
  return counts
}

/** A run in which nothing happened shows nothing. */
function failuresOf(counts: LedgerCounts, found: [ViolationKind, number][], retainedChecks: number): string[] {
  const failures = found.map(([kind, count]) => `${count} ${VIOLATIONS[kind]}`)
  if (counts.acknowledged === 0) failures.push('nothing was acknowledged')
  if (counts.delivered === 0) failures.push('nothing was delivered')
  if (retainedChecks === 0) failures.push('retained values were never checked')
  return failures
}
