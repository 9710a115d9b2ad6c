import { Command } from 'commander'
import { addBrokerOptions, type BrokerOptions, brokerOptions, integer, positive } from '../load/common-options.js'

export interface SoakOptions extends BrokerOptions {
  readonly seconds: number
  readonly sampleSeconds: number
  /** Messages per second of all publishers together. */
  readonly ratePerSecond: number
  readonly samplesFile: string
  /** File for the verdict as JSON; `-` is standard output. */
  readonly jsonFile: string | undefined
}

interface Raw {
  readonly hours?: number
  readonly minutes?: number
  readonly sampleSeconds?: number
  readonly rate: number
  readonly samples: string
  readonly json?: string
}

const HOURS = 8
const SAMPLES_MIN = 20
const SAMPLE_SECONDS = 60

const EPILOGUE = `
Exit status: 0 when memory and latency stayed flat and everything arrived as it must, 1 when not,
2 when the run could not take place. Ctrl-C ends it early, with a verdict on what was seen until then.`

/** @param args without the names of node and the program @throws CommanderError for misuse and for --help, RangeError */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const command = soakCommand().parse(args, { from: 'user' })
  const raw = command.opts<Raw>()
  if (raw.hours !== undefined && raw.minutes !== undefined) throw new RangeError('give --hours or --minutes, not both')
  const seconds = raw.minutes === undefined ? (raw.hours ?? HOURS) * 3_600 : raw.minutes * 60
  return {
    ...brokerOptions(command),
    seconds,
    sampleSeconds: raw.sampleSeconds ?? Math.min(SAMPLE_SECONDS, seconds / SAMPLES_MIN),
    ratePerSecond: raw.rate,
    samplesFile: raw.samples,
    jsonFile: raw.json,
  }
}

function soakCommand(): Command {
  const command = new Command('soak')
    .description('Keeps a broker under a steady mixed load and watches memory, latency and every message for hours.')
    .option('--hours <n>', `duration (default: ${HOURS})`, positive)
    .option('--minutes <n>', 'duration', positive)
    .option('--sample-seconds <n>', `time between samples (default: ${SAMPLE_SECONDS}, less for short runs)`, positive)
    .option('--rate <n>', 'messages per second in total', integer(10), 1_000)
    .option('--samples <file>', 'where samples are written, one JSON object a line', 'soak.jsonl')
    .option('--json <file>', 'write the verdict as JSON too; - is standard output')
  return addBrokerOptions(command).addHelpText('after', EPILOGUE).exitOverride()
}
