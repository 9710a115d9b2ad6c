/** `merlot sub`: subscribes and prints what arrives. */
import { filterProblem } from '../mqtt/topic-filter.js'
import type { BrokerConnection, MessageHandler } from './client.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { CONNECTION_OPTIONS, qosOf, requireMqtt5 } from './connection-options.js'
import { ExitCode, wrongUsage } from './exit.js'
import { ADMIN_OPTIONS, adminSettings } from './owner-access.js'
import { StopSignals } from './stop-signals.js'
import { messageFormatter } from './sub-output.js'
import { userPropertiesOf } from './user-properties.js'

const SUBSCRIPTION_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '-t, --topic <filter>',
    kind: 'text',
    repeatable: true,
    doc: 'topic filter; + and # are wildcards (required, repeatable)',
  },
  { flags: '-q, --qos <qos>', kind: 'integer', min: 0, max: 2, doc: 'highest quality of service wanted (otherwise 0)' },
  { flags: '-C, --count <number>', kind: 'integer', min: 1, max: 1_000_000_000, doc: 'end after so many messages' },
  {
    flags: '-W, --timeout <seconds>',
    kind: 'integer',
    min: 1,
    max: 2_000_000,
    doc: 'end after this time; exit code 3 when messages of --count are missing',
  },
  { flags: '-v, --verbose', kind: 'flag', doc: 'print the topic before the payload' },
  { flags: '--json', kind: 'flag', doc: 'print one JSON object a line: topic, QoS, retain, payload, properties' },
  { flags: '--quiet', kind: 'flag', doc: 'do not say on standard error that the subscription is made' },
  { flags: '--no-retained', kind: 'flag', doc: 'leave out retained messages' },
  {
    flags: '--retain-as-published',
    kind: 'flag',
    doc: 'keep the retain flag of messages as they were published (MQTT 5)',
  },
  {
    flags: '--retain-handling <when>',
    kind: 'integer',
    min: 0,
    max: 2,
    doc: 'retained messages: 0 always, 1 for new subscriptions, 2 never (MQTT 5)',
  },
  { flags: '--no-local', kind: 'flag', doc: 'leave out messages of this client itself (MQTT 5)' },
  {
    flags: '--subscription-id <number>',
    kind: 'integer',
    min: 1,
    max: 268_435_455,
    doc: 'subscription identifier (MQTT 5)',
  },
  {
    flags: '--user-property <name=value>',
    kind: 'text',
    repeatable: true,
    doc: 'user property of the subscription (MQTT 5, repeatable)',
  },
]
const MQTT5_OPTIONS = ['retainAsPublished', 'retainHandling', 'subscriptionId', 'userProperty']

const FILTER_REMEDY = 'examples of valid ones: boiler/temperature, boiler/+/state, boiler/#'

export const subCommand: CommandDefinition = {
  name: 'sub',
  summary: 'Subscribe and print messages',
  ownsH: true,
  options: [...SUBSCRIPTION_OPTIONS, ...ADMIN_OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    'merlot sub -t hello',
    "merlot sub -h broker.local -t 'boiler/#' -t alarms -v",
    "merlot sub -t 'orders/+' -q 1 --json --count 10 --timeout 60",
    'merlot sub -t jobs -q 1 -i worker-1 --no-clean --session-expiry 86400',
    "merlot sub --url wss://broker.example/mqtt -t '$SYS/#' -u admin --password-file secret.txt -v",
  ],
  async run(values, context) {
    const settings = adminSettings(values, context)
    requireMqtt5(values, settings.version, MQTT5_OPTIONS)
    if (values.isOff('local') && settings.version !== 5)
      throw wrongUsage('--no-local is a feature of MQTT 5', 'leave it out')
    const filters = values.texts('topic')
    if (filters.length === 0) throw wrongUsage('no topic filter is given', 'add --topic')
    for (const filter of filters) {
      const problem = filterProblem(filter)
      if (problem !== undefined) throw wrongUsage(`"${filter}" is not a topic filter: ${problem}`, FILTER_REMEDY)
    }
    const receiver = new Receiver(values, context, settings.version !== 5)
    const signals = new StopSignals(process)
    const { connectToBroker } = await import('./client.js')
    try {
      const connection = await connectToBroker(settings, context, receiver.handler)
      return await receive(connection, filters, values, receiver, signals, context)
    } finally {
      signals.close()
    }
  },
}

/** Prints messages, up to the number wanted. */
class Receiver {
  /** Resolves when all messages wanted are there; never without `--count`. */
  readonly complete: Promise<void>
  /** Resolves when nobody reads the output any more (`merlot sub … | head -1`). */
  readonly unread: Promise<void>
  #received = 0
  readonly #resolve: () => void

  /** @param filterRetained drop retained messages here, because the broker can not be asked to */
  constructor(
    private readonly values: OptionValues,
    private readonly context: CommandContext,
    private readonly filterRetained: boolean,
  ) {
    const { promise, resolve } = deferred()
    this.complete = promise
    this.#resolve = resolve
    this.unread = new Promise((closed) => context.stdout.once('error', () => closed()))
  }

  get handler(): MessageHandler {
    const { stdout } = this.context
    const format = messageFormatter(this.values, stdout.isTTY === true)
    const wanted = this.values.integer('count') ?? Number.POSITIVE_INFINITY
    const dropRetained = this.filterRetained && this.values.isOff('retained')
    return (message, settle) => {
      if (this.#received === wanted) return settle(false)
      if (dropRetained && message.retain) return settle(true)
      this.#received++
      const proceed = (): void => {
        settle(true)
        if (this.#received === wanted) this.#resolve()
      }
      if (stdout.write(format(message))) proceed()
      else stdout.once('drain', proceed)
    }
  }
}

async function receive(
  connection: BrokerConnection,
  filters: readonly string[],
  values: OptionValues,
  receiver: Receiver,
  signals: StopSignals,
  context: CommandContext,
): Promise<ExitCode> {
  const timeout = timeoutOf(values.integer('timeout'))
  try {
    await connection.subscribe(filters, {
      qos: qosOf(values.integer('qos')),
      noLocal: values.isOff('local'),
      retainAsPublished: values.flag('retainAsPublished'),
      retainHandling: values.isOff('retained') ? 2 : (values.integer('retainHandling') ?? 0),
      subscriptionIdentifier: values.integer('subscriptionId'),
      userProperties: userPropertiesOf(values.texts('userProperty')),
    })
    if (!values.flag('quiet')) context.stderr.write(`subscribed to ${filters.join(', ')}\n`)
    const end = await Promise.race([
      receiver.complete.then(() => ExitCode.ok),
      signals.first.then(() => ExitCode.ok),
      receiver.unread.then(() => ExitCode.ok),
      timeout.over.then(() => (values.has('count') ? ExitCode.timedOut : ExitCode.ok)),
      connection.lost,
    ])
    if (typeof end !== 'number') throw end
    return end
  } finally {
    timeout.cancel()
    await connection.close()
  }
}

function timeoutOf(seconds: number | undefined): { readonly over: Promise<void>; cancel(): void } {
  const { promise, resolve } = deferred()
  const timer = seconds === undefined ? undefined : setTimeout(resolve, seconds * 1_000)
  return { over: promise, cancel: () => clearTimeout(timer) }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
