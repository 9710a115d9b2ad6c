import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { integer } from '../load/common-options.js'
import { KIND_NAMES, type KindName, type PlanOptions } from './plan.js'

export interface FaultOptions extends PlanOptions {
  readonly shards: number
  /** Messages per second of all publishers together. */
  readonly ratePerSecond: number
  /** `key=value` */
  readonly brokerSettings: readonly string[]
  /** Keeps the data folder of a run that failed. */
  readonly keep: boolean
  /** File for the report as JSON; `-` is standard output. */
  readonly jsonFile: string | undefined
}

interface Raw {
  readonly kills: number
  readonly seed?: number
  readonly shards?: number
  readonly kinds: readonly KindName[]
  readonly durationBetween: readonly [number, number]
  readonly rate: number
  readonly set: readonly string[]
  readonly keep?: boolean
  readonly json?: string
}

const EPILOGUE = `
Exit status: 0 when nothing acknowledged was lost and nothing else was wrong, 1 when something was,
2 when the run could not take place. Ctrl-C ends it early, with a verdict on what was seen until then.`

/** @param args without the names of node and the program @throws CommanderError for misuse and for --help */
export function parseFaultOptions(args: readonly string[]): FaultOptions {
  const raw = faultsCommand().parse(args, { from: 'user' }).opts<Raw>()
  return {
    kills: raw.kills,
    seed: raw.seed ?? Math.floor(Math.random() * 2 ** 31),
    kinds: raw.kinds,
    delayMsMin: raw.durationBetween[0],
    delayMsMax: raw.durationBetween[1],
    shards: raw.shards ?? availableParallelism(),
    ratePerSecond: raw.rate,
    brokerSettings: raw.set,
    keep: raw.keep ?? false,
    jsonFile: raw.json,
  }
}

function faultsCommand(): Command {
  return new Command('faults')
    .description('Kills a broker under load, again and again, and checks that nothing acknowledged is lost.')
    .option('--kills <n>', 'faults to strike', integer(0), 200)
    .option('--seed <number>', 'repeats the faults, delays and loads of an earlier run', integer(0))
    .option('--shards <n>', 'shards of the broker (default: number of cores)', integer(1, 64))
    .option('--kinds <list>', `which faults, separated by commas`, kinds, KIND_NAMES)
    .option('--duration-between <min-max>', 'milliseconds of load before each fault', span, [20, 1_500] as const)
    .option('--rate <n>', 'messages per second in total', integer(1), 2_000)
    .option('--set <key=value>', 'setting of the broker; may be repeated', collect, [])
    .option('--keep', 'keep the data folder when the run fails')
    .option('--json <file>', 'write the report as JSON too; - is standard output')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
}

function kinds(text: string): readonly KindName[] {
  const names = [...new Set(text.split(','))]
  const known: readonly string[] = KIND_NAMES
  if (!names.every((name) => known.includes(name))) {
    throw new InvalidArgumentError(`It must be some of ${KIND_NAMES.join(',')}.`)
  }
  return names as KindName[]
}

function span(text: string): readonly [number, number] {
  const found = /^(\d+)-(\d+)$/.exec(text)
  const [min, max] = found === null ? [1, 0] : [Number(found[1]), Number(found[2])]
  if (min > max) throw new InvalidArgumentError('It must be two whole numbers, such as 20-1500.')
  return [min, max]
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value]
}
