/** The part of the configuration that concerns LoT: how its entities run. */
import * as z from 'zod'
import { FILE, FILE_OR_NAME } from './value-meta.js'

export const Lot = z
  .strictObject({
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(64)])
      .default('auto')
      .describe(
        'Threads that run Actions and Models; `auto` follows the number of cores, and is at least 2. ' +
          'Four more are kept as spares, for the time that others are slow.',
      ),
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
  .prefault({})
