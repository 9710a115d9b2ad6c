/** Puts the lines of an export into a store. */
import { encodeText } from '../src/base/bytes.js'
import { unreachable } from '../src/base/errors.js'
import { USER_KEY } from '../src/contracts/definition-keys.js'
import { jsonBytes } from '../src/contracts/record-json.js'
import { type LogReceiver, Progress, type StoredOwner, type StoredSession } from '../src/contracts/storage.js'
import { SHARDS_MAX } from '../src/contracts/store-records.js'
import { type DefinitionLine, definitionOf } from './definition-line.js'
import { definitionKey, definitionValue } from './definitions.js'
import { type StoreEngine, TABLE } from './engine.js'
import { HighWater, readMark, STAMP_MARK, sequenceMark, sessionMark } from './high-water.js'
import { numberKey, receivedKey, subscriptionKey, textKey } from './keys.js'
import { LineProblem } from './line-problem.js'
import { logValue, messageOfParts, retainedValue } from './message-parts.js'
import { stampOf } from './retained-value.js'
import { aliveMsOf } from './store-access.js'
import { storedSessions } from './store-contents.js'
import {
  type EndLine,
  encodeIdentifiers,
  type HeaderLine,
  type MessageLine,
  messageParts,
  progressOfState,
  type ReceiverFields,
  type RetainedLine,
  type SessionLine,
  type StoreLine,
} from './store-lines.js'
import { ALIVE_KEY } from './writer.js'

/** All imported messages are in one log, in their order. A broker that starts takes from all logs. */
const LOG = 0
/** Of keys and values that are committed at once. */
const BATCH_BYTES_MAX = 4_194_304
const BATCH_ENTRIES_MAX = 10_000

export interface ImportCounts {
  readonly definitions: number
  readonly sessions: number
  readonly retained: number
  /** Retained messages left out: the store has a later one for the topic. */
  readonly retainedOlder: number
  readonly messages: number
}

interface Put {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export class StoreFiller {
  /** Of the store and of the file, by client identifier. */
  readonly #known = new Set<string>()
  /** Of the file. */
  readonly #sessions = new Map<string, StoredSession>()
  /** Where messages end that these sessions may have been sent before, by client identifier. */
  readonly #repeatsBelow = new Map<string, number>()
  readonly #definitions = new Set<string>()
  readonly #latestStamps = new Map<string, number>()
  readonly #marks = new HighWater()
  #batch: Put[] = []
  #batchBytes = 0
  readonly #stampMark: number
  #nextSession: number
  #nextSequence: number
  #retained = 0
  #retainedOlder = 0
  #messages = 0

  constructor(
    readonly engine: StoreEngine,
    readonly header: HeaderLine,
  ) {
    this.#stampMark = readMark(engine, STAMP_MARK)
    this.#nextSession = readMark(engine, sessionMark(LOG))
    this.#nextSequence = readMark(engine, sequenceMark(LOG))
    for (const { clientId } of storedSessions(engine, () => {})) this.#known.add(clientId)
  }

  /** @throws LineProblem; BrokerError STORE_FULL */
  add(line: StoreLine): void {
    switch (line.type) {
      case 'definition':
        this.#addDefinition(line)
        break
      case 'session':
        this.#addSession(line)
        break
      case 'retained':
        this.#addRetained(line)
        break
      case 'message':
        this.#addMessage(line)
        break
      case 'end':
        this.#checkEnd(line)
        break
      default:
        unreachable(line)
    }
  }

  /** @throws BrokerError STORE_FULL */
  finish(): ImportCounts {
    for (const [clientId, repeatsBelow] of this.#repeatsBelow) {
      const session = this.#sessions.get(clientId)
      if (session !== undefined) this.#putSession({ ...session, repeatsBelow })
    }
    // expiry of what was connected counts from then
    const aliveMs = aliveMsOf(this.engine) ?? this.header.aliveMs
    this.#put(TABLE.meta, ALIVE_KEY, jsonBytes(aliveMs))
    this.#commit()
    return {
      definitions: this.#definitions.size,
      sessions: this.#sessions.size,
      retained: this.#retained,
      retainedOlder: this.#retainedOlder,
      messages: this.#messages,
    }
  }

  #addDefinition(line: DefinitionLine): void {
    const { key: name, value: content } = definitionOf(line)
    if (this.#definitions.has(name)) throw new LineProblem(`there is a second definition ${name}`)
    this.#definitions.add(name)
    const key = definitionKey(name)
    const value = definitionValue(key, content)
    const known = this.engine.get(TABLE.definitions, key)
    if (known !== undefined && Buffer.compare(known, value) !== 0) {
      throw new LineProblem(`the store has another definition ${name} already, and two cannot become one`, {
        advice: 'remove that definition from the file, or import into an empty store',
      })
    }
    this.#put(TABLE.definitions, key, value)
  }

  #addSession(line: SessionLine): void {
    const { clientId, expirySeconds, will, subscriptions, received } = line
    if (this.#sessions.has(clientId)) throw new LineProblem(`${clientId} has a second session`)
    if (this.#known.has(clientId)) {
      throw new LineProblem(`the store has a session of ${clientId} already, and two cannot become one`, {
        advice: 'remove that session and what waits for it from the file, or import into an empty store',
      })
    }
    this.#marks.note(sessionMark(LOG), this.#nextSession)
    const number = this.#nextSession++ * SHARDS_MAX + LOG
    const disconnectedAtMs = line.disconnectedAtMs ?? this.header.aliveMs
    const owner = this.#ownerOf(line)
    const session = { number, clientId, expirySeconds, disconnectedAtMs, will, owner, repeatsBelow: 0 }
    this.#sessions.set(clientId, session)
    this.#putSession(session)
    for (const { filter, qos, noLocal, retainAsPublished, identifier } of subscriptions) {
      const subscription = { filter, qos, noLocal, retainAsPublished, identifier }
      this.#put(TABLE.subscriptions, subscriptionKey(number, encodeText(filter)), jsonBytes(subscription))
    }
    for (const packetId of received) {
      this.#put(TABLE.received, receivedKey({ session: number, packetId }), new Uint8Array(0))
    }
  }

  /** Without its user in the file, a session is for whoever has the name where it comes to: the import says so. */
  #ownerOf({ owner }: SessionLine): StoredOwner | undefined {
    if (owner?.userName === undefined || this.#definitions.has(USER_KEY + owner.userName)) return owner
    return { ...owner, createdAt: undefined }
  }

  #addRetained(line: RetainedLine): void {
    const { topic, stamp } = line
    const key = textKey(encodeText(topic))
    const stored = this.#latestStamps.get(topic) ?? this.#storedStamp(key)
    if (stored !== undefined && stored >= stamp) {
      this.#retainedOlder++
      return
    }
    this.#latestStamps.set(topic, stamp)
    if (stamp >= this.#stampMark) this.#marks.note(STAMP_MARK, stamp)
    this.#put(TABLE.retained, key, retainedValue(messageOfParts(messageParts(line)), stamp))
    this.#retained++
  }

  #addMessage(line: MessageLine): void {
    this.#marks.note(sequenceMark(LOG), this.#nextSequence)
    const sequence = this.#nextSequence++
    const receivers = line.receivers.map((receiver) => this.#receiver(receiver, sequence))
    this.#put(TABLE.log(LOG), numberKey(sequence), logValue(messageOfParts(messageParts(line)), receivers))
    // queued and sent are told by the packet identifier alone
    if (line.receivers.some(({ state }) => state === 'released')) {
      const states = line.receivers.map(({ state, packetId = 0 }) => packetId | (progressOfState(state) << 16))
      this.#put(TABLE.progress(LOG), numberKey(sequence), new Uint8Array(Int32Array.from(states).buffer))
    }
    this.#messages++
  }

  #receiver(fields: ReceiverFields, sequence: number): LogReceiver {
    const { clientId, packetId = 0, qos, retain = false, shared = false, identifiers, mayRepeat = false } = fields
    const session = this.#sessions.get(clientId)
    if (session === undefined) throw new LineProblem(`${clientId} has no session in the lines before`)
    if (progressOfState(fields.state) === Progress.RELEASED && qos !== 2) {
      throw new LineProblem('only messages of QoS 2 are released')
    }
    if (mayRepeat) this.#repeatsBelow.set(clientId, sequence + 1)
    return {
      session: session.number,
      packetId,
      qos,
      retain,
      isShared: shared,
      identifiers: encodeIdentifiers(identifiers),
    }
  }

  #checkEnd({ definitions = 0, sessions, retained, messages }: EndLine): void {
    const isWhole =
      definitions === this.#definitions.size &&
      sessions === this.#sessions.size &&
      retained === this.#retained + this.#retainedOlder &&
      messages === this.#messages
    if (!isWhole) throw new LineProblem('lines before it are missing, or there are too many')
  }

  #storedStamp(key: Uint8Array): number | undefined {
    const value = this.engine.get(TABLE.retained, key)
    return value === undefined ? undefined : stampOf(value)
  }

  #putSession(session: StoredSession): void {
    this.#put(TABLE.sessions, numberKey(session.number), jsonBytes(session))
  }

  #put(table: string, key: Uint8Array, value: Uint8Array): void {
    this.#batch.push({ table, key, value })
    this.#batchBytes += key.length + value.length
    if (this.#batchBytes >= BATCH_BYTES_MAX || this.#batch.length >= BATCH_ENTRIES_MAX) this.#commit()
  }

  #commit(): void {
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    this.engine.commit((transaction) => {
      for (const { table, key, value } of batch) transaction.put(table, key, value)
      this.#marks.apply(transaction)
    })
    this.#marks.clear()
  }
}
