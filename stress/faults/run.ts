import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../src/base/errors.js'
import { seededRandom } from '../load/random.js'
import type { StatusLine } from '../load/status-line.js'
import { type Launcher, ourBroker } from './broker-process.js'
import { KINDS } from './kinds/kinds.js'
import type { FaultOptions } from './options.js'
import { type KindName, planFaults } from './plan.js'
import { buildPowerShim, type PowerShim } from './power-shim.js'
import { type FaultReport, makeReport, type SkippedKind, type StruckFault } from './report.js'
import { Trial } from './trial.js'

/** Load without any fault, for runs with `--kills 0`. */
const QUIET_MS = 3_000

/**
 * Runs a broker under load, strikes it as planned, and judges what it did.
 * @param launch another broker than ours, for trying out the checks
 * @param signal ends it early, with a judgement on what was seen until then
 * @throws Error when the broker cannot be started at all
 */
export async function runFaults(
  options: FaultOptions,
  status: StatusLine,
  signal: AbortSignal,
  launch: (environment: Readonly<Record<string, string>>) => Launcher = (environment) =>
    ourBroker(options.shards, options.brokerSettings, environment),
): Promise<FaultReport> {
  const folder = await mkdtemp(join(tmpdir(), 'merlot-faults-'))
  let isClean = false
  try {
    const { kinds, skipped, power } = await prepare(options.kinds, folder)
    const dataFolder = join(folder, 'data')
    await mkdir(dataFolder)
    const launcher = launch(power?.environment ?? {})
    const trial = new Trial({ ...options, launcher, folder, dataFolder, power }, status)
    try {
      const struck = await conduct(trial, { ...options, kinds }, signal)
      const report = makeReport({ options, skipped, struck, trial })
      isClean = report.failures.length === 0
      return report
    } finally {
      status.clear()
      await trial.close()
    }
  } finally {
    if (isClean || !options.keep) await rm(folder, { recursive: true, force: true })
    else process.stderr.write(`kept: ${folder}\n`)
  }
}

async function prepare(wanted: readonly KindName[], folder: string) {
  const kinds: KindName[] = []
  const skipped: SkippedKind[] = []
  let power: PowerShim | undefined
  for (const kind of wanted) {
    let reason = await KINDS[kind].prepare?.(folder)
    if (kind === 'power') {
      const shadowFolder = join(folder, 'shadows')
      await mkdir(shadowFolder)
      const shim = await buildPowerShim(folder, shadowFolder)
      if (typeof shim === 'string') reason = shim
      else power = shim
    }
    if (reason === undefined) kinds.push(kind)
    else skipped.push({ kind, reason })
  }
  if (kinds.length === 0) throw new Error(`none of these faults can be shown here: ${skipped[0].reason}`)
  return { kinds, skipped, power }
}

async function conduct(trial: Trial, options: FaultOptions, signal: AbortSignal): Promise<readonly StruckFault[]> {
  const struck: StruckFault[] = []
  await trial.open()
  try {
    for (const fault of planFaults(options)) {
      const random = seededRandom(fault.seed)
      const lastedMs = await trial.play(fault.delayMs, random, signal)
      if (signal.aborted) break
      await trial.strike(fault.kind, random, struck.length + 1)
      struck.push({ ...fault, lastedMs })
    }
    if (options.kills === 0) await trial.play(QUIET_MS, seededRandom(options.seed), signal)
    await trial.drain()
  } catch (error) {
    trial.ledger.violations.add('start', messageOf(error))
  }
  return struck
}
