/** `merlot lot run`: what LoT would do with a message. */
import { encodeText } from '../base/bytes.js'
import { eventText, eventToJson } from '../lot-simulator/event-text.js'
import { type SimulatedEvent, Simulator } from '../lot-simulator/simulator.js'
import { isValidTopicName } from '../mqtt/topic-name.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { notATopic } from './connection-options.js'
import { durationOf } from './duration-option.js'
import { ExitCode, wrongUsage } from './exit.js'
import { type Definitions, readDefinitions } from './lot-definitions.js'
import { COMPAT_OPTIONS, compatOf, FILES_ARGUMENT, JSON_OPTION } from './lot-options.js'
import { openOutside, PYTHON_OPTIONS } from './lot-python.js'

const RUN_OPTIONS: readonly OptionDefinition[] = [
  { flags: '-t, --topic <name>', kind: 'text', doc: 'topic of the message' },
  { flags: '-m, --payload <text>', kind: 'text', doc: 'payload of the message (otherwise empty)' },
  { flags: '--action <name>', kind: 'text', doc: 'run this action and nothing else, whatever its trigger is' },
  { flags: '--input <name=value>', kind: 'text', repeatable: true, doc: 'input of a callable action (repeatable)' },
  { flags: '--start', kind: 'flag', doc: 'run what is ON START first' },
  { flags: '--advance <time>', kind: 'text', doc: 'let time go by at the end, such as "5 minutes": timers run' },
  { flags: '--value <topic=payload>', kind: 'text', repeatable: true, doc: 'last value of a topic (repeatable)' },
  { flags: '--env <name=value>', kind: 'text', repeatable: true, doc: 'environment variable (repeatable)' },
  { flags: '--secret <name=value>', kind: 'text', repeatable: true, doc: 'secret (repeatable)' },
  { flags: '--time <time>', kind: 'text', doc: 'time of the run, such as 2026-03-05T07:00:00Z (otherwise now)' },
]

export const lotRunCommand: CommandDefinition = {
  name: 'lot run',
  summary: 'Show what LoT would do with a message, without a broker',
  argument: { ...FILES_ARGUMENT, doc: `${FILES_ARGUMENT.doc}; .py files that they call` },
  options: [...RUN_OPTIONS, ...PYTHON_OPTIONS, ...COMPAT_OPTIONS, JSON_OPTION],
  examples: [
    'merlot lot run pump.lot --topic plant/pump1/pressure --payload 7.2',
    'merlot lot run pump.lot --action Add --input a=1 --input b=2 --json',
    'merlot lot run plant --start --advance "5 minutes" --value plant/limit=80',
    'merlot lot run boiler.lot Boiler.py --topic boiler/raw --payload 12.5',
  ],
  async run(values, context) {
    const events: SimulatedEvent[] = []
    const step = stepOf(values)
    const definitions = await readDefinitions(values.texts('files'), compatOf(values), context)
    const outside = await openOutside(definitions, values, context)
    let outcome: Outcome
    try {
      const simulator = new Simulator({
        compat: compatOf(values).compat,
        startMs: timeOf(values.text('time')),
        seed: Date.now() | 0,
        answer: outside.answer,
        onEvent: (event) => events.push(event),
      })
      prepare(simulator, values)
      definitions.deployTo(simulator)
      outcome = step(simulator)
    } finally {
      await outside.stop()
    }
    if (values.flag('json')) {
      const json = {
        events: events.map((event) => ({ ...eventToJson(event), place: definitions.placeOf(event) })),
        outputs: outcome.outputs,
      }
      context.stdout.write(`${JSON.stringify(json, undefined, 2)}\n`)
    } else print(events, outcome, definitions, context)
    return events.some(({ kind }) => kind === 'failure') ? ExitCode.failed : ExitCode.ok
  },
}

type Outputs = Readonly<Record<string, string>> | undefined

interface Outcome {
  readonly outputs: Outputs
  /** The topic of the message, where no trigger is for it. */
  readonly unmatched: string | undefined
}

/** @throws CommandError for options that say nothing together */
function stepOf(values: OptionValues): (simulator: Simulator) => Outcome {
  const topic = values.text('topic')
  const action = values.text('action')
  const advance = durationOf(values.text('advance'))
  if (topic !== undefined && !isValidTopicName(topic)) throw notATopic(topic)
  if (topic === undefined && values.has('payload')) throw wrongUsage('the payload has no topic', 'add --topic')
  if (topic === undefined && action === undefined && !values.flag('start') && advance === undefined) {
    throw wrongUsage('there is nothing to run', 'add --topic, --action, --start or --advance')
  }
  const inputs = inputsOf(values)
  if (Object.keys(inputs).length > 0 && action === undefined) {
    throw wrongUsage('--input is for a callable action', 'name it with --action')
  }
  const payload = encodeText(values.text('payload') ?? '')
  return (simulator) => {
    if (values.flag('start')) simulator.start()
    let outputs: Outputs
    let unmatched: string | undefined
    if (action !== undefined) outputs = runAction(simulator, action, topic, payload, inputs)
    else if (topic !== undefined && !simulator.publish(topic, payload)) unmatched = topic
    if (advance !== undefined) simulator.advanceTo(simulator.world.nowMs + advance)
    return { outputs, unmatched }
  }
}

function runAction(
  simulator: Simulator,
  name: string,
  topic: string | undefined,
  payload: Uint8Array,
  inputs: Readonly<Record<string, unknown>>,
): Outputs {
  const action = simulator.world.action(name)
  if (action === undefined) throw wrongUsage(`there is no action ${name}`, 'names of actions are written as in DEFINE')
  for (const input of Object.keys(inputs)) {
    if (action.inputs.some((known) => known.name === input)) continue
    throw wrongUsage(
      `action ${name} has no input ${input}`,
      `its inputs: ${action.inputs.map((one) => one.name).join(', ')}`,
    )
  }
  if (topic === undefined && simulator.isCallable(name)) return simulator.call(name, inputs)
  simulator.trigger(name, topic ?? '', topic === undefined ? undefined : payload)
  return undefined
}

function prepare(simulator: Simulator, values: OptionValues): void {
  const { world } = simulator
  for (const [topic, payload] of pairs(values, 'value')) world.values.set(topic, encodeText(payload))
  for (const [name, value] of pairs(values, 'env')) world.environmentValues.set(name, value)
  for (const [name, value] of pairs(values, 'secret')) world.secrets.set(name, value)
}

function inputsOf(values: OptionValues): Record<string, unknown> {
  return Object.fromEntries(pairs(values, 'input').map(([name, value]) => [name, jsonOrText(value)]))
}

/** As `-runAction` takes inputs; text needs no quotes. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** @throws CommandError for one without `=` */
function pairs(values: OptionValues, option: string): [string, string][] {
  return values.texts(option).map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw wrongUsage(`--${option} ${text} has no value`, `write --${option} name=value`)
    return [text.slice(0, at), text.slice(at + 1)]
  })
}

function timeOf(text: string | undefined): number {
  const ms = text === undefined ? Date.now() : Date.parse(text)
  if (Number.isNaN(ms)) throw wrongUsage(`"${text}" is not a time`, 'write it as in 2026-03-05T07:00:00Z')
  return ms
}

function print(
  events: readonly SimulatedEvent[],
  { outputs, unmatched }: Outcome,
  definitions: Definitions,
  { stdout }: CommandContext,
): void {
  for (const event of events) {
    stdout.write(`${eventText(event)}\n`)
    const place = definitions.placeOf(event)
    if (place !== undefined && event.kind === 'failure') stdout.write(`  ${place}: ${event.statement ?? ''}\n`)
  }
  for (const [name, value] of Object.entries(outputs ?? {})) stdout.write(`output ${name} = ${value}\n`)
  if (unmatched !== undefined) stdout.write(`no trigger matches ${unmatched}\n`)
  else if (events.length === 0 && outputs === undefined) stdout.write('nothing happens\n')
}
