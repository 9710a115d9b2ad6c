/** The part of the configuration that says how much one client, user or address may ask for. */
import * as z from 'zod'

/** 0 is no limit. */
const amount = (max: number) => z.int().min(0).max(max).default(0)

export const Limits = z
  .strictObject({
    perConnection: z
      .strictObject({
        messagesPerSecondMax: amount(100_000_000).describe(
          'PUBLISH packets a second of one connection; past it, the connection is read more slowly. 0 is no limit.',
        ),
        bytesPerSecondMax: amount(100_000_000_000).describe(
          'Bytes a second of one connection; past it, the connection is read more slowly. 0 is no limit.',
        ),
        overloadSecondsMax: z
          .int()
          .min(1)
          .max(86_400)
          .default(60)
          .describe('A client that is slowed down for so long without a pause is disconnected (0x96).'),
      })
      .prefault({}),
    perUser: z
      .strictObject({
        connectionsMax: amount(1_000_000).describe('Network connections of one user. 0 is no limit.'),
        messagesPerSecondMax: amount(100_000_000).describe(
          'PUBLISH packets a second of all connections of one user. 0 is no limit.',
        ),
        bytesPerSecondMax: amount(100_000_000_000).describe(
          'Bytes a second of all connections of one user. 0 is no limit.',
        ),
        subscriptionsMax: amount(100_000_000).describe('Subscriptions of all sessions of one user. 0 is no limit.'),
        retainedBytesMax: amount(68_719_476_736).describe(
          'Bytes of retained messages that one user has published since the start of the broker, or since there is this limit. 0 is no limit.',
        ),
        queuedBytesMax: amount(68_719_476_736).describe(
          'Bytes of messages that wait for all sessions of one user, each counted for each session. 0 is no limit.',
        ),
      })
      .prefault({}),
    perAddress: z
      .strictObject({
        messagesPerSecondMax: amount(100_000_000).describe(
          'PUBLISH packets a second of all connections of one address (of IPv6: one /64 network). 0 is no limit.',
        ),
        bytesPerSecondMax: amount(100_000_000_000).describe(
          'Bytes a second of all connections of one address (of IPv6: one /64 network). 0 is no limit.',
        ),
        subscriptionsMax: amount(100_000_000).describe(
          'Subscriptions of all sessions that have last come from one address (of IPv6: one /64 network). 0 is no limit.',
        ),
        retainedBytesMax: amount(68_719_476_736).describe(
          'Bytes of retained messages published from one address (of IPv6: one /64 network) since the start of the broker, or since there is this limit. 0 is no limit.',
        ),
        queuedBytesMax: amount(68_719_476_736).describe(
          'Bytes of messages that wait for all sessions that have last come from one address (of IPv6: one /64 network), each counted for each session. 0 is no limit.',
        ),
      })
      .prefault({}),
    ban: z
      .strictObject({
        failuresMax: z
          .int()
          .min(0)
          .max(1_000_000)
          .default(10)
          .describe(
            'Failed logins of one address (of IPv6: one /64 network) within a minute after which it is banned. 0 never bans.',
          ),
        seconds: z
          .int()
          .min(1)
          .max(86_400)
          .default(30)
          .describe('How long the first ban lasts; each one after it twice as long.'),
        secondsMax: z.int().min(1).max(31_536_000).default(3_600).describe('Longest ban.'),
        flappingMax: z
          .int()
          .min(0)
          .max(1_000_000)
          .default(0)
          .describe(
            'Connections of one client identifier with one user name within a minute after which they are banned together. 0 never bans.',
          ),
        local: z
          .boolean()
          .default(false)
          .describe('Bans addresses of this machine too. Otherwise a wrong password there only makes the answer slow.'),
      })
      .prefault({}),
  })
  .prefault({})
