/** The configuration of a broker: type, default, bounds, unit and documentation of every value, written once. */
import * as z from 'zod'
import { LOG_AREAS, LOG_LEVELS } from '../base/log.js'
import { AuditTrail } from './audit.js'
import { Authentication } from './authentication.js'
import { Limits } from './limits.js'
import { Listener } from './listener.js'
import { Lot } from './lot.js'
import { Rules } from './rules.js'
import { FILE } from './value-meta.js'

export type { LogArea } from '../base/log.js'
export { Listener, LOG_AREAS }

const DURABILITY_LEVELS = ['sync', 'async', 'off'] as const
export type DurabilityLevel = (typeof DURABILITY_LEVELS)[number]

const LogLevel = z.enum(LOG_LEVELS)

export const BrokerConfig = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(255)
    .default('Merlot')
    .describe('Name of this broker, as clients find it in `$SYS/Coreflux/Config`.'),
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
        .describe('Network connections from one address (of IPv6: one /64 network); 0 is no limit.'),
      connectionsPerSecondMax: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(0)
        .describe('New network connections per second; 0 is no limit.'),
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
      takeoverByOthers: z
        .boolean()
        .default(false)
        .describe(
          'Whether a user may take over the session of another user by its client identifier, with all that waits in it. Otherwise that is refused; a session of nobody gives way to a user and is lost.',
        ),
    })
    .prefault({}),
  topic: z
    .strictObject({
      bytesMax: z.int().min(1).max(65_535).default(65_535).describe('Longest topic name or filter in bytes of UTF-8.'),
      levelsMax: z.int().min(1).max(65_535).default(200).describe('Most levels of a topic name or filter.'),
      cachedMax: z
        .int()
        .min(256)
        .max(10_000_000)
        .default(65_536)
        .describe('Topics whose receivers a shard remembers, in as many KiB at most.'),
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
        .describe(
          'Seconds between updates of `$SYS/broker/...`, `$SYS/Coreflux/Stats` and `$SYS/Coreflux/Resources/...`; 0 switches them off, and the lists of clients and sessions.',
        ),
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
  lot: Lot,
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
      plainTextOutput: z
        .boolean()
        .default(false)
        .describe('Answers commands with the message alone instead of JSON, for old clients.'),
    })
    .prefault({}),
  authentication: Authentication,
  rules: Rules,
  limits: Limits,
  audit: AuditTrail,
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
      wheelsFolder: z
        .string()
        .default('')
        .describe(
          'Folder of wheels in pure Python, from which `-installPythonPackage NAME` installs. Empty: wheels are sent with the command.',
        )
        .meta({ ...FILE }),
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
