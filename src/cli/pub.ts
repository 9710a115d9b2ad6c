/** `merlot pub`: publishes messages. */
import type { ProtocolVersion } from '../mqtt/packets.js'
import { isValidTopicName } from '../mqtt/topic-name.js'
import type { PublishOptions } from './client.js'
import type { CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { CONNECTION_OPTIONS, notATopic, qosOf, requireMqtt5 } from './connection-options.js'
import { ExitCode, wrongUsage } from './exit.js'
import { ADMIN_OPTIONS, adminSettings } from './owner-access.js'
import { payloadsOf } from './payloads.js'
import { userPropertiesOf } from './user-properties.js'

const MESSAGE_OPTIONS: readonly OptionDefinition[] = [
  { flags: '-t, --topic <name>', kind: 'text', doc: 'topic to publish to (required)' },
  { flags: '-m, --message <text>', kind: 'text', doc: 'payload' },
  { flags: '-f, --file <file>', kind: 'text', doc: 'payload from a file' },
  { flags: '-s, --stdin', kind: 'flag', doc: 'payload from standard input, as one message' },
  { flags: '-l, --lines', kind: 'flag', doc: 'a message for each line of standard input' },
  { flags: '-n, --empty', kind: 'flag', doc: 'an empty payload; with --retain it removes the retained message' },
  { flags: '-q, --qos <qos>', kind: 'integer', min: 0, max: 2, doc: 'quality of service (otherwise 0)' },
  { flags: '-r, --retain', kind: 'flag', doc: 'keep the message for future subscribers' },
  { flags: '--content-type <text>', kind: 'text', doc: 'content type of the payload (MQTT 5)' },
  { flags: '--response-topic <topic>', kind: 'text', doc: 'topic for an answer (MQTT 5)' },
  { flags: '--correlation-data <text>', kind: 'text', doc: 'correlation data for an answer (MQTT 5)' },
  { flags: '--user-property <name=value>', kind: 'text', repeatable: true, doc: 'user property (MQTT 5, repeatable)' },
  { flags: '--expiry <seconds>', kind: 'integer', min: 0, max: 4_294_967_295, doc: 'message expiry interval (MQTT 5)' },
  {
    flags: '--payload-format <format>',
    kind: 'choice',
    choices: ['bytes', 'text'],
    doc: 'payload format indicator (MQTT 5)',
  },
  { flags: '--topic-alias <number>', kind: 'integer', min: 1, max: 65_535, doc: 'topic alias (MQTT 5)' },
]
const MQTT5_OPTIONS = [
  'contentType',
  'responseTopic',
  'correlationData',
  'userProperty',
  'expiry',
  'payloadFormat',
  'topicAlias',
]

export const pubCommand: CommandDefinition = {
  name: 'pub',
  summary: 'Publish messages',
  ownsH: true,
  options: [...MESSAGE_OPTIONS, ...ADMIN_OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    'merlot pub -t hello -m world',
    'merlot pub -h broker.local -t boiler/temperature -m 71.5 -q 1 -r',
    'merlot pub -t boiler/temperature -n -r',
    'merlot pub -t orders -m \'{"id":7}\' --content-type application/json --user-property plant=A',
    'tail -f app.log | merlot pub -t log/app -l',
  ],
  async run(values, context) {
    const settings = adminSettings(values, context)
    requireMqtt5(values, settings.version, MQTT5_OPTIONS)
    const topic = values.text('topic')
    if (topic === undefined) throw wrongUsage('no topic is given', 'add --topic')
    if (!isValidTopicName(topic)) throw notATopic(topic)
    const payloads = payloadsOf(values, context)
    const options = publishOptions(values, settings.version)
    const { connectToBroker } = await import('./client.js')
    const connection = await connectToBroker(settings, context)
    try {
      for await (const payload of payloads) await connection.publish(topic, payload, options)
    } finally {
      await connection.close()
    }
    return ExitCode.ok
  },
}

function publishOptions(values: OptionValues, version: ProtocolVersion): PublishOptions {
  const base = { qos: qosOf(values.integer('qos')), retain: values.flag('retain') }
  if (version !== 5) return base
  const correlationData = values.text('correlationData')
  const format = values.text('payloadFormat')
  const properties = {
    contentType: values.text('contentType'),
    responseTopic: values.text('responseTopic'),
    correlationData: correlationData === undefined ? undefined : Buffer.from(correlationData),
    userProperties: userPropertiesOf(values.texts('userProperty')),
    messageExpiryInterval: values.integer('expiry'),
    payloadFormatIndicator: format === undefined ? undefined : format === 'text',
    topicAlias: values.integer('topicAlias'),
  }
  return { ...base, properties }
}
