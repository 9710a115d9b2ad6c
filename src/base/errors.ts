/**
 * Every failure that Merlot raises, in one catalogue. Codes are public and never reused; `reasonCode` is what an MQTT 5
 * client is told (section 2.4 of the specification); `remedy` is what the person who reads the message can do.
 */
interface CatalogueEntry {
  readonly reasonCode: number
  readonly text: string
  readonly remedy?: string
}

export const CATALOGUE = {
  MALFORMED_PACKET: { reasonCode: 0x81, text: 'malformed packet: {reason}' },
  PROTOCOL_ERROR: { reasonCode: 0x82, text: 'protocol error: {reason}' },
  UNSUPPORTED_PROTOCOL: { reasonCode: 0x84, text: 'unsupported protocol: {reason}' },
  CLIENT_ID_INVALID: { reasonCode: 0x85, text: 'client identifier not valid: {reason}' },
  BAD_CREDENTIALS: { reasonCode: 0x86, text: 'bad user name or password' },
  NOT_AUTHORIZED: { reasonCode: 0x87, text: 'not authorized: {reason}' },
  SERVER_BUSY: { reasonCode: 0x89, text: 'the broker is busy: {reason}', remedy: 'connect again in a moment' },
  BAD_AUTHENTICATION_METHOD: { reasonCode: 0x8c, text: 'authentication method "{method}" is not supported' },
  KEEP_ALIVE_TIMEOUT: {
    reasonCode: 0x8d,
    text: 'nothing received for {seconds} s, one and a half times the keep alive',
  },
  SESSION_TAKEN_OVER: { reasonCode: 0x8e, text: '{clientId} connected again' },
  TOPIC_FILTER_INVALID: { reasonCode: 0x8f, text: 'topic filter not valid: {reason}' },
  TOPIC_NAME_INVALID: { reasonCode: 0x90, text: 'topic name not valid: {reason}' },
  RECEIVE_MAXIMUM_EXCEEDED: { reasonCode: 0x93, text: 'more than {maximum} unacknowledged messages' },
  TOPIC_ALIAS_INVALID: { reasonCode: 0x94, text: 'topic alias not valid: {reason}' },
  PACKET_TOO_LARGE: { reasonCode: 0x95, text: 'packet of {bytes} bytes exceeds the maximum of {maximum}' },
  MESSAGE_RATE_TOO_HIGH: { reasonCode: 0x96, text: 'sent faster than its limits allow for {seconds} s' },
  BANNED: { reasonCode: 0x8a, text: 'banned: {reason}' },
  BANNED_MEANWHILE: { reasonCode: 0x98, text: 'closed because of a ban: {reason}' },
  QUOTA_EXCEEDED: { reasonCode: 0x97, text: 'quota exceeded: {reason}' },
  PAYLOAD_FORMAT_INVALID: { reasonCode: 0x99, text: 'payload format not valid: {reason}' },
  CONNECT_TIMEOUT: { reasonCode: 0x80, text: 'no CONNECT within {seconds} s of the connection' },
  SERVER_SHUTTING_DOWN: { reasonCode: 0x8b, text: 'the broker is shutting down' },
  INTERNAL: { reasonCode: 0x83, text: 'internal error: {reason}' },
  THREAD_LOST: { reasonCode: 0x88, text: 'the {kind} thread {index} stopped: {reason}' },
  THREAD_UNRELIABLE: {
    reasonCode: 0x88,
    text: 'the {kind} thread {index} stopped {times} times within {seconds} s',
    remedy: 'look at the errors logged before this one, and report them',
  },
  PORT_IN_USE: {
    reasonCode: 0x80,
    text: '{address} is in use by another program',
    remedy: 'stop that program, or choose another port with {flag}',
  },
  LISTEN_FAILED: {
    reasonCode: 0x80,
    text: 'cannot listen on {address}: {reason}',
    remedy: 'change the address or the rights of this user',
  },
  FILE_UNREADABLE: {
    reasonCode: 0x80,
    text: 'cannot read {path}: {reason}',
    remedy: 'check that the file exists and that this user may read it',
  },
  FOLDER_UNUSABLE: {
    reasonCode: 0x80,
    text: 'cannot use the folder {path}: {reason}',
    remedy: 'check its owner and rights, or choose another with --data',
  },
  FOLDER_NOT_EMPTY: {
    reasonCode: 0x80,
    text: 'the folder {path} is not empty',
    remedy: 'give a new or empty folder',
  },
  STORE_FULL: {
    reasonCode: 0x97,
    text: 'the store has no room: {reason}',
    remedy: 'make room on the disk of the data folder, or raise the limit of the store',
  },
  STORE_IN_USE: {
    reasonCode: 0x80,
    text: 'the data folder {path} is in use by process {pid}',
    remedy: 'stop that broker, or choose another folder with --data',
  },
  STORE_HELD: {
    reasonCode: 0x88,
    text: 'the storage thread ended within a transaction: nobody can write to the store while this process lives',
    remedy: 'start the broker again: what was acknowledged is in the store; look at the errors logged before this one',
  },
  STORE_TOO_NEW: {
    reasonCode: 0x80,
    text: 'the store in {path} has version {version}, and this program knows versions up to {known}',
    remedy: 'start it with the newer program that wrote it, or choose another folder with --data',
  },
  STORE_DAMAGED: {
    reasonCode: 0x80,
    text: 'the store in {path} is damaged: {reason}',
    remedy: 'let the broker start: it moves the store to the folder quarantine; or bring back a backup',
  },
  STORE_MISSING: {
    reasonCode: 0x80,
    text: 'there is no store in {path}',
    remedy: 'name the data folder with --data; the first start of a broker makes a store there',
  },
  STORE_NOT_EMPTY: {
    reasonCode: 0x80,
    text: 'the store in {path} is not empty: {content}',
    remedy: 'add --merge to keep what is there, or choose another folder with --data',
  },
  IMPORT_INVALID: {
    reasonCode: 0x80,
    text: 'line {line} of {path} cannot be imported: {reason}',
    remedy: 'nothing was changed; {advice}',
  },
  AUDIT_KEY_UNUSABLE: {
    reasonCode: 0x80,
    text: 'the audit trail is to be encrypted, and there is no key: {reason}',
    remedy: 'mend the key, or set audit.encrypt to false',
  },
  CERTIFICATE_INVALID: {
    reasonCode: 0x80,
    text: 'cannot use the certificate {path}: {reason}',
    remedy: 'check that the files are whole, that certificate and key belong together, and the passphrase',
  },
  RULE_UNREADABLE: {
    reasonCode: 0x83,
    text: 'the rule {rule} cannot be read: {reason}',
    remedy: 'remove it, or bring back a backup: the rules that were in force before stay in force',
  },
  IDENTITIES_UNREADABLE: {
    reasonCode: 0x83,
    text: 'the store has lost users and rules, and their copy {path} cannot be used: {reason}',
    remedy: 'bring back a backup of the store, or that file and its key; to begin without them, delete the file',
  },
  CONFIG_INVALID: { reasonCode: 0x80, text: '{problem}' },
  PROJECT_REFUSED: { reasonCode: 0x83, text: '{problem}' },
  PACKAGE_REFUSED: { reasonCode: 0x83, text: '{problem}' },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof CATALOGUE
type Holes<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}` ? Hole | Holes<Rest> : never
type TextsOf<Entry> = Entry extends { readonly text: infer T extends string; readonly remedy: infer R extends string }
  ? `${T}${R}`
  : Entry extends { readonly text: infer T extends string }
    ? T
    : never
export type Details<Code extends ErrorCode> = Readonly<
  Record<Holes<TextsOf<(typeof CATALOGUE)[Code]>>, string | number>
>

function fillTemplate(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (hole, name: string) => String(details[name] ?? hole))
}

/** A failure with a public code. `message` is complete in itself; `remedy` may follow it on a line of its own. */
export class BrokerError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'BrokerError'
  readonly reasonCode: number
  readonly remedy: string | undefined
  constructor(
    readonly code: Code,
    readonly details: Details<Code>,
    options?: ErrorOptions,
  ) {
    const entry: CatalogueEntry = CATALOGUE[code]
    super(fillTemplate(entry.text, details), options)
    this.reasonCode = entry.reasonCode
    this.remedy = entry.remedy === undefined ? undefined : fillTemplate(entry.remedy, details)
  }
}

/** For the default branch of a `switch` over a union: a new member fails to compile until it is handled. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}

/** What was thrown, if it is one of ours; otherwise a bug of ours, as a client is told of it. */
export function asBrokerError(thrown: unknown): BrokerError {
  return thrown instanceof BrokerError ? thrown : new BrokerError('INTERNAL', { reason: messageOf(thrown) })
}

/** The stack of anything that was thrown, for the log. */
export function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
