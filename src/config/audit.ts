/** The part of the configuration that concerns the audit trail. */
import * as z from 'zod'
import { FILE } from './value-meta.js'

export const AuditTrail = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Writes down logins, denials, commands and changes.'),
    folder: z
      .string()
      .default('')
      .describe('Folder of the files of the trail; `audit` in the data folder where empty.')
      .meta({ ...FILE }),
    encrypt: z
      .boolean()
      .default(false)
      .describe('Encrypts the records with the key of secrets; `merlot audit query` and `-decryptAudit` read them.'),
    fileBytesMax: z
      .int()
      .min(65_536)
      .max(17_179_869_184)
      .default(67_108_864)
      .describe('Bytes of one file; the next one goes on with the chain. A new one begins each day, too.'),
    bytesMax: z
      .int()
      .min(1_048_576)
      .max(1_125_899_906_842_624)
      .default(2_147_483_648)
      .describe(
        'Bytes of all files: the oldest are removed when it would be more, and no file gets more than a quarter of it.',
      ),
    keepDays: z.int().min(0).max(36_500).default(365).describe('Days that files are kept; 0 keeps them for ever.'),
  })
  .prefault({})
