/** The configuration of a broker: type, default, bounds, unit and documentation of every value, written once. */
import { z } from 'zod'
import { LOG_AREAS, LOG_LEVELS } from '../base/log.js'
import { Listener } from './listener.js'
import { FILE, FILE_OR_NAME } from './value-meta.js'

export type { LogArea } from '../base/log.js'
export { Listener, LOG_AREAS }

const DURABILITY_LEVELS = ['sync', 'async', 'off'] as const
export type DurabilityLevel = (typeof DURABILITY_LEVELS)[number]

const LogLevel = z.enum(LOG_LEVELS)

export const BrokerConfig = z.strictObject({
  listeners: z
    .array(Listener)
    .min(1)
    .max(64)
    .prefault([{ type: 'tcp' }, { type: 'ws' }])
    .describe('Where the broker listens; any number of each type.'),
  dataDirectory: z
    .string()
    .min(1)
    .default('data')
    .describe('Folder for everything that the broker keeps on disk.')
    .meta({ ...FILE }),
  threads: z
    .strictObject({
      shards: z
        .union([z.literal('auto'), z.int().min(1).max(64)])
        .default('auto')
        .describe('Threads that own sessions; `auto` follows the number of cores.'),
      connections: z
        .union([z.literal('auto'), z.int().min(1).max(64)])
        .default('auto')
        .describe(
          'Threads that own sockets. More than one needs Linux and Node.js 22.12 or newer; elsewhere it is one.',
        ),
      ringBytes: z
        .int()
        .min(65_536)
        .max(1 << 28)
        .default(4_194_304)
        .describe('Bytes of each ring between two threads; rounded up to a power of two.'),
    })
    .prefault({}),
  connection: z
    .strictObject({
      connectSeconds: z
        .int()
        .min(1)
        .max(3_600)
        .default(10)
        .describe('Time allowed from accepting a connection to its CONNECT.'),
      packetBytesMax: z
        .int()
        .min(1_024)
        .max(268_435_460)
        .default(16_777_216)
        .describe('Largest packet accepted after CONNECT (maximum packet size, §3.2.2.3.6).'),
      packetBytesMaxBeforeConnect: z
        .int()
        .min(1_024)
        .max(1_048_576)
        .default(196_608)
        .describe('Largest packet accepted before the client is admitted.'),
      keepAliveSecondsMax: z
        .int()
        .min(0)
        .max(65_535)
        .default(0)
        .describe(
          'Longest keep alive; a client that asks for more, or for none, is told this one (server keep alive, §3.2.2.3.14). 0 leaves it to the client.',
        ),
      topicAliasMax: z
        .int()
        .min(0)
        .max(65_535)
        .default(64)
        .describe('Topic aliases a client may use towards the broker (§3.2.2.3.8).'),
      topicAliasOutboundMax: z
        .int()
        .min(0)
        .max(65_535)
        .default(64)
        .describe('Topic aliases the broker uses towards a client that allows them (§3.1.2.11.5).'),
      sendBufferBytesMax: z
        .int()
        .min(65_536)
        .max(1 << 30)
        .default(4_194_304)
        .describe(
          'Bytes that may wait for a slow client; past it the session is treated as offline until they are sent.',
        ),
      connectionsMax: z.int().min(1).max(1_000_000).default(100_000).describe('Network connections in total.'),
      connectionsPerAddressMax: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(0)
        .describe('Network connections from one address; 0 is no limit. Counted per connection thread.'),
      connectionsPerSecondMax: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(0)
        .describe('New network connections per second; 0 is no limit. Counted per connection thread.'),
    })
    .prefault({}),
  session: z
    .strictObject({
      clientIdBytesMax: z
        .int()
        .min(23)
        .max(65_535)
        .default(1_024)
        .describe('Longest client identifier in bytes of UTF-8.'),
      sessionsMax: z
        .int()
        .min(1)
        .max(10_000_000)
        .default(1_000_000)
        .describe('Sessions in total, connected and offline.'),
      expirySecondsMax: z
        .int()
        .min(0)
        .max(4_294_967_295)
        .default(4_294_967_295)
        .describe('Longest session expiry interval granted; 4294967295 never expires.'),
      receiveMaximum: z
        .int()
        .min(1)
        .max(65_535)
        .default(1_024)
        .describe('QoS 1 and 2 messages a client may have unacknowledged towards the broker (§3.2.2.3.3).'),
      inflightMax: z
        .int()
        .min(1)
        .max(65_535)
        .default(1_024)
        .describe(
          'QoS 1 and 2 messages sent to a client and not yet acknowledged; the smaller of this and its receive maximum holds.',
        ),
      queuedMessagesMax: z
        .int()
        .min(0)
        .max(100_000_000)
        .default(100_000)
        .describe('Messages that wait for one session.'),
      queuedBytesMax: z
        .int()
        .min(0)
        .max(68_719_476_736)
        .default(268_435_456)
        .describe('Bytes of messages that wait for one session.'),
      queueFullPolicy: z
        .enum(['rejectNew', 'dropOldest', 'dropQos0First'])
        .default('rejectNew')
        .describe(
          'What happens when a queue is full: the new message is refused, the oldest is dropped, or QoS 0 messages are dropped before the new one is refused.',
        ),
      queueQos0: z
        .boolean()
        .default(false)
        .describe(
          'Whether QoS 0 messages wait for a session that is offline or slow; otherwise they are dropped and counted.',
        ),
      subscriptionsMax: z.int().min(1).max(1_000_000).default(10_000).describe('Subscriptions of one session.'),
    })
    .prefault({}),
  topic: z
    .strictObject({
      bytesMax: z.int().min(1).max(65_535).default(65_535).describe('Longest topic name or filter in bytes of UTF-8.'),
      levelsMax: z.int().min(1).max(65_535).default(200).describe('Most levels of a topic name or filter.'),
      cachedMax: z.int().min(256).max(10_000_000).default(65_536).describe('Topics whose receivers a shard remembers.'),
    })
    .prefault({}),
  retained: z
    .strictObject({
      messagesMax: z
        .int()
        .min(0)
        .max(100_000_000)
        .default(1_000_000)
        .describe('Retained messages; one more is refused.'),
      bytesMax: z
        .int()
        .min(0)
        .max(68_719_476_736)
        .default(1_073_741_824)
        .describe('Bytes of retained messages, topics and properties included.'),
    })
    .prefault({}),
  durability: z
    .strictObject({
      level: z
        .enum(DURABILITY_LEVELS)
        .default('sync')
        .describe(
          'What is promised for sessions that outlive their connection, and for retained messages: `sync` is on disk before it is acknowledged, `async` within moments after it, `off` is in memory only.',
        ),
      topics: z
        .array(
          z.strictObject({
            filter: z.string().min(1).describe('Topic filter.'),
            level: z.enum(DURABILITY_LEVELS).describe('Level for messages with topics that it matches.'),
          }),
        )
        .max(1_000)
        .default([])
        .describe('Other levels for messages of some topics; the first filter that matches holds.'),
    })
    .prefault({}),
  storage: z
    .strictObject({
      bytesMax: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER)
        .default(0)
        .describe(
          'Bytes that the store may take on disk; past it, what would have to be kept is refused. 0 is no limit.',
        ),
    })
    .prefault({}),
  sharedSubscription: z
    .strictObject({
      strategy: z
        .enum(['roundRobin', 'sticky', 'hashTopic', 'hashClient'])
        .default('roundRobin')
        .describe(
          'Who in a shared subscription gets a message: members in turn, one until it leaves, or by hash of topic or of the publishing client.',
        ),
    })
    .prefault({}),
  sys: z
    .strictObject({
      intervalSeconds: z
        .int()
        .min(0)
        .max(86_400)
        .default(10)
        .describe('Seconds between updates of `$SYS/broker/...`; 0 switches them off.'),
    })
    .prefault({}),
  responseInformation: z
    .string()
    .optional()
    .describe('Prefix of response topics, told to clients that ask for response information (§3.2.2.3.15).'),
  compat: z
    .enum(['v2', 'v1'])
    .default('v2')
    .describe('`v1` also accepts LoT as older Coreflux brokers did: quoted entity names, rule priorities below 100.'),
  lot: z
    .strictObject({
      workers: z
        .union([z.literal('auto'), z.int().min(1).max(64)])
        .default('auto')
        .describe('Threads that run Actions and Models; `auto` follows the number of cores, and is at least 2.'),
      runMsMax: z
        .int()
        .min(10)
        .max(600_000)
        .default(900)
        .describe('Milliseconds that one run of an entity may take; past it the entity is stopped.'),
      heapBytesMax: z
        .int()
        .min(33_554_432)
        .max(17_179_869_184)
        .default(268_435_456)
        .describe('Bytes of memory of one worker; an entity that needs more is stopped.'),
      mailboxMessagesMax: z
        .int()
        .min(1)
        .max(10_000_000)
        .default(20_000)
        .describe('Messages that wait for one entity; QoS 0 messages past it are dropped and counted.'),
      mailboxBytesMax: z
        .int()
        .min(65_536)
        .max(17_179_869_184)
        .default(67_108_864)
        .describe('Bytes that wait for all entities together; messages past it are refused.'),
      valuesBytesMax: z
        .int()
        .min(1_048_576)
        .max(1_073_741_824)
        .default(268_435_456)
        .describe('Bytes of last values for `GET TOPIC`; the least recently written go first.'),
      lastValues: z
        .enum(['read', 'all'])
        .default('read')
        .describe(
          'Which topics `GET TOPIC` knows the last values of: `read` those that deployed entities read, from their deployment on, and all retained ones; `all` every topic, which costs some time for each message.',
        ),
      loopIterationsMax: z.int().min(1).max(1_000_000_000).default(100_000).describe('Turns of one LOOP.'),
      callDepthMax: z.int().min(1).max(1_000).default(32).describe('Depth of CALL ACTION within CALL ACTION.'),
      chainDepthMax: z
        .int()
        .min(1)
        .max(10_000)
        .default(64)
        .describe('Length of a chain of runs of which each one triggers the next.'),
      strictIndent: z
        .boolean()
        .default(false)
        .describe('Refuses text that is not indented by four spaces a level, instead of warning.'),
      keyFile: z
        .string()
        .default('')
        .describe(
          'File with the key that secrets are encrypted with; made at the first start as `secret.key` in the data folder where left out. The environment variable MERLOT_SECRET_KEY (32 bytes as hex) comes first.',
        )
        .meta({ ...FILE }),
      project: z
        .string()
        .default('')
        .describe(
          'Project that is loaded at the start: a folder, a zip file, the name of one that was added, or a Git address. Empty: the one that was loaded last.',
        )
        .meta({ ...FILE_OR_NAME }),
    })
    .prefault({}),
  models: z
    .strictObject({
      plainOutput: z
        .enum(['both', 'json', 'fields'])
        .default('both')
        .describe(
          'What a model without COLLAPSED publishes: one JSON object, each field on a topic of its own, or both.',
        ),
    })
    .prefault({}),
  keep: z
    .strictObject({
      exposeAsRetained: z
        .boolean()
        .default(true)
        .describe('Values of KEEP TOPIC are sent to new subscribers as retained messages.'),
    })
    .prefault({}),
  commands: z
    .strictObject({
      from: z
        .enum(['local', 'all', 'none'])
        .default('local')
        .describe('Who may send commands to `$SYS/Coreflux/Command`: clients on this machine, all, or nobody.'),
      plainTextOutput: z
        .boolean()
        .default(false)
        .describe('Answers commands with the message alone instead of JSON, for old clients.'),
    })
    .prefault({}),
  python: z
    .strictObject({
      callMsMax: z.int().min(10).max(600_000).default(10_000).describe('Milliseconds that one CALL PYTHON may take.'),
      memoryBytesMax: z
        .int()
        .min(134_217_728)
        .max(17_179_869_184)
        .default(536_870_912)
        .describe('Bytes of memory of the process that runs Python.'),
      extraModules: z
        .array(z.string().min(1).describe('Name of a module.'))
        .max(1_000)
        .default([])
        .describe('Python modules that scripts may import besides those that are allowed by themselves.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: LogLevel.default('info').describe('Least severe level that is logged.'),
      areas: z
        .partialRecord(z.enum(LOG_AREAS), LogLevel)
        .default({})
        .describe('Level of this area; `log.level` where left out.'),
      format: z
        .enum(['auto', 'json', 'pretty'])
        .default('auto')
        .describe('`auto` is readable on a terminal and JSON otherwise.'),
    })
    .prefault({}),
})
/** Complete and checked; frozen by the loader. Crosses to every thread by structured clone. */
export type BrokerConfig = z.infer<typeof BrokerConfig>
/** As a user writes it: everything may be left out. */
export type BrokerConfigInput = z.input<typeof BrokerConfig>
