/** Journals, rings and writer in one thread: what is committed and when is for the test to say. */
import { createDoorbellMemory, Doorbell } from '../src/base/doorbell.js'
import { BrokerError } from '../src/base/errors.js'
import { createRingMemory, RingConsumer, RingProducer } from '../src/base/ring.js'
import type { KeptMessage, LoggedMessage, LogReceiver, LogRecord, StoredSession } from '../src/contracts/storage.js'
import { createFlushWords, FlushWord } from '../src/contracts/store-records.js'
import type { StoreTransaction } from './engine.js'
import { Journal } from './journal.js'
import { MemoryEngine } from './memory-engine.js'
import { Restore } from './restore.js'
import { StoreWriter } from './writer.js'

interface TestMessage {
  readonly topic?: string
  readonly payload?: string | Uint8Array
  readonly properties?: Uint8Array
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
  readonly expiresAtMs?: number
  readonly isKeepValue?: boolean
  /** Of the topic in its memory. */
  readonly topicStart?: number
}

/** As a message lies in memory that it came in: something before it, something behind. */
export function loggedMessage(options: TestMessage = {}): LoggedMessage {
  const { qos = 1, retain = false, expiresAtMs = Number.POSITIVE_INFINITY, topicStart = 5 } = options
  const topic = Buffer.from(options.topic ?? 't')
  const properties = options.properties ?? new Uint8Array(0)
  const payload = Buffer.from(options.payload ?? 'x')
  const propertiesStart = topicStart + topic.length + (qos === 0 ? 0 : 2) + 1
  const payloadStart = propertiesStart + properties.length
  const bytes = new Uint8Array((payloadStart + payload.length + 11) & ~3).fill(0xee)
  bytes.set(topic, topicStart)
  bytes.set(properties, propertiesStart)
  bytes.set(payload, payloadStart)
  return {
    bytes,
    ints: new Int32Array(bytes.buffer),
    topicStart,
    topicBytes: topic.length,
    propertiesStart,
    propertiesBytes: properties.length,
    payloadStart,
    payloadBytes: payload.length,
    qos,
    retain,
    expiresAtMs,
    isKeepValue: options.isKeepValue ?? false,
  }
}

export function topicOf({ bytes, topicStart, topicBytes }: LoggedMessage): string {
  return Buffer.from(bytes.subarray(topicStart, topicStart + topicBytes)).toString()
}

export function payloadOf({ bytes, payloadStart, payloadBytes }: LoggedMessage): string {
  return Buffer.from(bytes.subarray(payloadStart, payloadStart + payloadBytes)).toString()
}

export function receiver(session: number, packetId = 0, qos: 0 | 1 | 2 = 1): LogReceiver {
  return { session, packetId, qos, retain: false, isShared: false, identifiers: undefined }
}

export function storedSession(number: number, clientId: string): StoredSession {
  return { number, clientId, expirySeconds: 60, disconnectedAtMs: undefined, will: undefined, repeatsBelow: 0 }
}

/** Journals here keep no retained messages in memory. */
export interface NoMessage extends KeptMessage<NoMessage> {}

/** Has no room when the test says so. */
export class FullEngine extends MemoryEngine {
  /** What is refused: nothing, what needs room, or all. */
  refuses: 'nothing' | 'growth' | 'all' = 'nothing'

  override commit(work: (transaction: StoreTransaction) => void, usesReserve = false): void {
    let grows = false
    super.commit((transaction) => {
      work({
        ...transaction,
        tables: transaction.tables,
        put(table, key, value) {
          grows ||= table !== 'meta' || value.length > 1_000
          transaction.put(table, key, value)
        },
      })
      if (this.refuses === 'all' || (this.refuses === 'growth' && grows && !usesReserve)) {
        throw new BrokerError('STORE_FULL', { reason: 'on purpose' })
      }
    })
  }
}

export interface StorePartsOptions {
  readonly engine?: MemoryEngine
  readonly shards?: number
  readonly ringBytes?: number
  readonly nowMs?: number
  /** Number that the journals go on from. */
  readonly flushed?: number
}

export class StoreParts {
  readonly engine: MemoryEngine
  readonly journals: Journal<NoMessage>[] = []
  readonly restores: Restore[] = []
  readonly words: Int32Array[] = []
  readonly writer: StoreWriter
  readonly full: (string | undefined)[] = []
  nowMs: number
  readonly #rings: RingProducer[] = []
  readonly #sharedWords: SharedArrayBuffer[] = []

  /** @param owner of a client identifier */
  constructor(
    readonly options: StorePartsOptions = {},
    readonly owner: (clientId: string) => number = () => 0,
  ) {
    const { shards = 1 } = options
    this.engine = options.engine ?? new MemoryEngine()
    this.nowMs = options.nowMs ?? 1_750_000_000_000
    const consumers: RingConsumer[] = []
    for (let shard = 0; shard < shards; shard++) {
      this.#sharedWords[shard] = createFlushWords()
      this.words[shard] = new Int32Array(this.#sharedWords[shard])
      this.words[shard][FlushWord.FLUSHED] = options.flushed ?? 0
      this.words[shard][FlushWord.REFUSED] = (options.flushed ?? 0) - 1
      consumers[shard] = this.#start(shard)
    }
    this.writer = new StoreWriter(
      this.engine,
      consumers.map((ring, shard) => ({ ring, words: this.words[shard], bell: new Doorbell(createDoorbellMemory()) })),
      () => this.nowMs,
      (reason) => this.full.push(reason),
    )
  }

  get journal(): Journal<NoMessage> {
    return this.journals[0]
  }

  /** Makes visible to the writer what this shard has written. */
  publish(shard: number): void {
    this.journals[shard].writeProgress()
    this.#rings[shard].publish()
  }

  /** Commits all that was written. @returns how many were told */
  commit(): number {
    do for (const shard of this.journals.keys()) this.publish(shard)
    while (this.writer.work() > 0)
    return this.journals.reduce((told, journal) => told + journal.runFlushed(), 0)
  }

  /** The shards die, and are started anew. */
  replaceShards(): void {
    const shards = [...this.journals.keys()]
    this.writer.replaceRings(shards.map((shard) => this.#createRing(shard)))
    for (const shard of shards) this.#open(shard)
  }

  #start(shard: number): RingConsumer {
    const ring = this.#createRing(shard)
    this.#open(shard)
    return ring
  }

  #createRing(shard: number): RingConsumer {
    const memory = createRingMemory(this.options.ringBytes ?? 65_536)
    this.#rings[shard] = new RingProducer(memory)
    return new RingConsumer(memory)
  }

  #open(shard: number): void {
    const restore = new Restore(this.engine, shard, (clientId) => this.owner(clientId) === shard)
    this.restores[shard] = restore
    this.journals[shard] = new Journal<NoMessage>({
      shard,
      ring: this.#rings[shard],
      words: this.#sharedWords[shard],
      retained: { messagesMax: 1_000, bytesMax: 1_000_000 },
      nextSequence: restore.nextSequence,
      nextSession: restore.nextSession,
    })
  }
}

/** Notes who was told that it is flushed, or that it was refused. */
export function asker(parts: StoreParts): { told: string[]; ask(name: string, shard?: number): void } {
  const told: string[] = []
  return {
    told,
    ask: (name, shard = 0) =>
      parts.journals[shard].whenFlushed((isKept) => told.push(isKept ? name : `${name} refused`)),
  }
}

/** Writes a message for one session. */
export function append(parts: StoreParts, payload: string, session = 64, shard = 0): LogRecord {
  const record = parts.journals[shard].addReceiver(receiver(session))
  parts.journals[shard].append(loggedMessage({ payload }), undefined, 0)
  return record
}
