/** The part of the configuration that says how LoT rules are applied. */
import * as z from 'zod'

export const Rules = z
  .strictObject({
    recheckOpenSubscriptions: z
      .boolean()
      .default(true)
      .describe(
        'Each message is judged by the rules of Subscribe for its own topic too, with the rules of the moment: a subscription gets nothing more that a rule has come to forbid, and one that is broader than a rule does not get around it. `false` asks the rules once, when a client subscribes, as older Coreflux brokers did.',
      ),
    trailingPlusMatchesDeeper: z
      .boolean()
      .default(false)
      .describe('A `+` at the end of the topic of a rule also stands for several levels.'),
    governModelPublishes: z
      .boolean()
      .default(false)
      .describe(
        'What Actions publish with PUBLISH MODEL is subject to the rules of Publish, as of a client without user.',
      ),
  })
  .prefault({})
