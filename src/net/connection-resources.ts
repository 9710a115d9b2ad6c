/** What a connection thread works with. */
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/log.js'
import type { RingProducer } from '../base/ring.js'
import type { BrokerConfig } from '../config/schema.js'
import type { Audit } from '../contracts/audit.js'
import type { Counters } from '../contracts/counters.js'
import type { Authenticator } from '../security/authenticator.js'
import type { CredentialsDirectory } from '../security/directory.js'
import type { AcceptLimits } from './accept-limits.js'
import type { Bans } from './bans.js'
import type { RateLimits } from './rates.js'
import type { Suspects } from './suspects.js'

export interface ConnectionResources {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly counters: Counters
  readonly log: Logger
  readonly limits: AcceptLimits
  readonly authenticator: Authenticator
  /** Whom the authenticator knows. */
  readonly directory: Pick<CredentialsDirectory, 'number'>
  readonly audit: Audit
  readonly bans: Bans
  readonly rates: RateLimits
  /** What bans may follow from. */
  readonly suspects: Suspects
  /** Towards each shard. */
  readonly rings: RingProducer[]
  /** Bytes were written to the ring of that shard. */
  readonly written: (shard: number) => void
}
