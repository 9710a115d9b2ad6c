import { Command, Option } from 'commander'
import { addBrokerOptions, type BrokerOptions, brokerOptions, integer, positive } from './common-options.js'
import { STAMP_BYTES } from './payload.js'
import { type Figures, figuresOf, SCENARIOS, type Scenario } from './scenarios.js'

export interface LoadOptions extends BrokerOptions {
  readonly scenario: Scenario
  readonly figures: Figures
  readonly isPersistent: boolean
  /** File for the report as JSON; `-` is standard output. */
  readonly jsonFile: string | undefined
}

interface Raw {
  readonly scenario: string
  readonly publishers?: number
  readonly subscribers?: number
  readonly qos?: 0 | 1 | 2
  readonly payload?: number
  readonly seconds?: number
  readonly warmup?: number
  readonly rate?: number
  readonly window?: number
  readonly connections?: number
  readonly persistent?: boolean
  readonly json?: string
}

const PAYLOAD_BYTES_MAX = 268_435_000
const WINDOW_MAX = 65_000

const EPILOGUE = `
Scenarios:
${SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(19)} ${summary}`).join('\n')}

Exit status: 0 when everything arrived as it must, 1 when something was lost, repeated or out of order,
2 when the run could not take place.`

/** @param args without the names of node and the program @throws CommanderError for misuse and for --help, RangeError */
export function parseLoadOptions(
  args: readonly string[],
  print: (text: string) => void = (text) => process.stdout.write(text),
): LoadOptions {
  const command = loadCommand().configureOutput({ writeOut: print }).parse(args, { from: 'user' })
  const raw = command.opts<Raw>()
  const scenario = SCENARIOS.find(({ name }) => name === raw.scenario) ?? SCENARIOS[0]
  const chosen = {
    publishers: raw.publishers,
    subscribers: raw.subscribers,
    qos: raw.qos,
    payloadBytes: raw.payload,
    seconds: raw.seconds,
    warmupSeconds: raw.warmup,
    ratePerSecond: raw.rate,
    window: raw.window,
    connections: raw.connections,
  } satisfies Partial<Figures>
  const given = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined))
  return {
    ...brokerOptions(command),
    scenario,
    figures: figuresOf(scenario, given),
    isPersistent: raw.persistent ?? false,
    jsonFile: raw.json,
  }
}

function loadCommand(): Command {
  const scenario = new Option('--scenario <name>', 'what to do, see below').choices(SCENARIOS.map(({ name }) => name))
  const qos = new Option('--qos <level>', 'quality of service').choices(['0', '1', '2']).argParser(integer(0, 2))
  const command = new Command('stress')
    .description('Puts a broker under load and checks that every message arrives, once and in order.')
    .addOption(scenario.makeOptionMandatory())
    .option('--publishers <n>', 'publishing clients', integer(1))
    .option('--subscribers <n>', 'subscribing clients', integer(1))
    .addOption(qos)
    .option(
      '--payload <bytes>',
      `payload of each message, from ${STAMP_BYTES}`,
      integer(STAMP_BYTES, PAYLOAD_BYTES_MAX),
    )
    .option('--seconds <n>', 'time of measurement', positive)
    .option('--warmup <n>', 'seconds before measurement', integer(0))
    .option('--rate <n>', 'messages per second of all publishers together; 0 is flat out', integer(0))
    .option('--window <n>', 'messages of one publisher that may be on their way', integer(1, WINDOW_MAX))
    .option('--connections <n>', 'further clients: idle, slow, storming or churning; filters in wildcards', integer(0))
    .option('--persistent', 'sessions that outlive their connection')
    .option('--json <file>', 'write the report as JSON too; - is standard output')
  return addBrokerOptions(command).addHelpText('after', EPILOGUE).exitOverride()
}
