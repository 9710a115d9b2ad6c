/**
 * Who may do what, as it crosses threads. The main thread keeps users and rules; shards get profiles and rules and
 * decide, connection threads get credentials and admit.
 */

/** Who asks. Fixed when a network connection is admitted, and kept with the session for its will. */
export interface Identity {
  /** undefined for anonymous clients: every `USER …` test of a rule is false. */
  readonly userName: string | undefined
  readonly clientId: string
  /** IP address, or the path of a Unix socket. */
  readonly address: string
  /** 0 where there is none. */
  readonly port: number
  /** What a token says besides what is known of the user here. */
  readonly claims: TokenClaims | undefined
}

export interface TokenClaims {
  readonly groups: readonly string[]
  /** Topic filters: rules may allow these and no others. undefined leaves it to the rules. */
  readonly publish: readonly string[] | undefined
  readonly subscribe: readonly string[] | undefined
  /** Milliseconds since 1970: the network connection ends then. */
  readonly expiresAtMs: number | undefined
}

/** What rules ask of a user. */
export interface UserProfile {
  readonly name: string
  readonly groups: readonly string[]
  /** Permission flags and properties of one's own, as text; `USER HAS` is true where it is `true` in any case. */
  readonly properties: Readonly<Record<string, string>>
  /** Tells a user from one who had the name before. ISO 8601, UTC. */
  readonly createdAt?: string
}

/** RFC 5802: what the server keeps for one mechanism. Bytes as base64. */
export interface ScramVerifier {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** What admission asks of a user. Never leaves the process; the store has it. */
export interface UserCredentials {
  readonly name: string
  /** Argon2id in PHC format; undefined for one that cannot log in by password. */
  readonly passwordHash: string | undefined
  readonly scram: {
    readonly 'SCRAM-SHA-256'?: ScramVerifier
    readonly 'SCRAM-SHA-512'?: ScramVerifier
  }
  /** What is kept of the user is damaged: whatever it shows, it is not admitted, because nobody knows what it may not do. */
  readonly isUnreadable?: true
}

/** What a rule governs (LOT section 5.2). */
export type RuleScope =
  | 'Connect'
  | 'Publish'
  | 'Subscribe'
  | 'PublishSys'
  | 'SubscribeSys'
  | 'CommandCall'
  | 'ShellCommand'
  | 'SystemConfiguration'
  | `UserManagement${'Creation' | 'Remove' | 'PasswordChange' | 'Update'}`
  | `RuleManagement${'Creation' | 'Remove'}`
  | `ModelManagement${'Creation' | 'Remove'}`
  | `ActionManagement${'Creation' | 'Remove' | 'Run'}`
  | `RouteManagement${'Creation' | 'Remove'}`
  | `LogManagement${'Creation' | 'Update' | 'Remove' | 'Read'}`

export interface AccessQuestion {
  readonly identity: Identity
  readonly scope: RuleScope
  /** Topic name, or the filter of a subscription as it was sent (of a shared one without `$share/…/`); undefined where the scope has none. */
  readonly topic: string | undefined
}

export interface Decision {
  readonly allowed: boolean
  /** The rule that decided; undefined where none did. */
  readonly rule: string | undefined
  /** For people: `rule AllowPublishTopic`, `root passes all rules`, `no rule allows it`, `the token does not name this topic`. */
  readonly reason: string
  /** Topics whose values, or being retained, the answer depends on. */
  readonly reads: readonly string[]
}

/** A change of what shards decide by. */
export interface AccessChange {
  /** All rules, as LoT, in place of those before; undefined leaves them. */
  readonly rules?: readonly string[]
  /** In place of those of the same names; in place of all where `isWhole`. */
  readonly users: readonly UserProfile[]
  readonly removedUsers: readonly string[]
  readonly isWhole: boolean
  /** With a whole: whose records are damaged, so that nothing else is known of them. */
  readonly unreadableUsers?: readonly string[]
  /** Counts the changes of one run: the same as of the `CredentialsChange` that belongs to it. 0 where left out. */
  readonly number?: number
}

/** A change of what connection threads admit by. */
export interface CredentialsChange {
  readonly users: readonly UserCredentials[]
  readonly removedUsers: readonly string[]
  readonly isWhole: boolean
  /** Secret of this installation, as base64: it makes salts of users that do not exist. With every whole. */
  readonly decoyKey?: string
  /** As of `AccessChange`. */
  readonly number?: number
}

/** How a decision came about, for people. */
export interface AccessExplanation {
  readonly decision: Decision
  /** The user that was asked about, where nothing is kept of it: neither groups nor properties count for it. */
  readonly unknownUser?: string
  /** Rules of the scope in the order they were asked, up to the one that decided. */
  readonly considered: readonly {
    readonly rule: string
    readonly priority: number
    readonly outcome: 'allow' | 'deny' | 'abstain' | 'other topic'
  }[]
}

/** What rules may ask of the broker. Topics are looked up as they are, never as filters. */
export interface RuleWorld {
  /** Values of KEEP TOPIC do not count. */
  hasRetained(topic: string): boolean
  /** Text of the retained message, or of what KEEP TOPIC keeps; undefined if there is none. */
  value(topic: string): string | undefined
  /** Another one when anything that was asked for may have changed; undefined where nobody watches over that. */
  readonly version?: number
}

/** What a change may have made wrong of decisions from before. */
export interface PolicyChange {
  /** Scopes and topic filters of rules that came, went or differ; `topic` is undefined for all topics of a scope. */
  readonly rules: readonly { readonly scope: RuleScope; readonly topic: string | undefined }[]
  /** Those that rules see differently. */
  readonly users: ReadonlySet<string> | 'all'
}
