/** A LoT host with real runners, and shards that a test plays: what they send, and what they were told. */
import type { MessagePort } from 'node:worker_threads'
import { BatchPool } from '../actors/batch-pool.js'
import { decodeText, encodeText, hashBytes } from '../base/bytes.js'
import { SharedClock } from '../base/clock.js'
import { createDoorbellMemory, Doorbell } from '../base/doorbell.js'
import { type Logger, silentLogger } from '../base/log.js'
import { Reactor } from '../base/reactor.js'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { createCountersMemory, openCounters } from '../contracts/counters.js'
import {
  DEPTH_SHIFT,
  type EntityRef,
  FromLotKind,
  GOVERNED,
  type InternalPublish,
  LOT_CLIENT,
  LOT_FIXED_INTS,
  LOT_FLAGS,
  LOT_IDENTITY,
  LOT_NUMBER,
  LOT_PAYLOAD,
  LOT_TOPIC,
  LOT_TOPIC_HASH,
  type LotEvent,
  type LotLink,
  ONLY_RETAIN,
  QOS_BITS,
  RETAIN,
  type RunnableDefinition,
  type SessionEvent,
  ToLotKind,
} from '../contracts/lot.js'
import type { RunnerResult, RunnerSetup, RunnerTask } from '../contracts/lot-batch.js'
import { KIND, SLOT } from '../contracts/records.js'
import type { Identity } from '../contracts/security.js'
import { LotHost, progressBytes, threadsMax, threadsReady } from './host.js'
import { Shards } from './shards.js'

const RING_BYTES = 4_194_304
/** Offset of each; its length is next to it. */
const FIELD_PLACES = [LOT_TOPIC, LOT_PAYLOAD, LOT_CLIENT, LOT_IDENTITY]

export interface SentMessage {
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
  /** To be answered with TAKEN. */
  readonly number?: number
  /** Of what LoT itself has published. */
  readonly depth?: number
  readonly clientId?: string
  /** Shards send it for what the broker itself takes. */
  readonly identity?: Identity
}

/** What LoT has published. */
export interface Published {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
  readonly onlyRetain: boolean
  /** Rules decide about it, and it comes back if they allow it. */
  readonly isGoverned: boolean
  /** Of one that is governed. */
  readonly depth: number
}

export interface FixtureOptions {
  readonly config?: BrokerConfigInput
  readonly shards?: number
  readonly threads?: number
  /** As many threads from the start as a broker has. */
  readonly isReady?: boolean
  readonly retained?: readonly InternalPublish[]
  readonly log?: Logger
  /** Calls of what is outside: the other ends. */
  readonly onRunner?: (port: MessagePort) => void
}

export class LotHostFixture {
  readonly host: LotHost
  readonly published: Published[] = []
  readonly events: LotEvent[] = []
  readonly wanted = new Set<string>()
  readonly taken: string[] = []
  readonly clock = new SharedClock()
  readonly counters = openCounters(createCountersMemory())
  hooks = 0
  /** So many next batches are lost with their threads, after they have run. */
  deaths = 0
  /** Called for every message that is published instead of noting it. */
  onPublish: (() => void) | undefined
  readonly reactor: Reactor
  readonly #toLot: RingProducer[]
  readonly #fromLot: RingConsumer[]
  readonly #bell: Doorbell
  readonly #pool: BatchPool<RunnerTask, RunnerResult>
  readonly #installed: EntityRef[] = []
  readonly #poll: NodeJS.Timeout

  constructor(options: FixtureOptions = {}) {
    const count = options.shards ?? 2
    const threads = options.threads ?? 2
    const links = Array.from({ length: count }, () => ({
      toLot: createRingMemory(RING_BYTES),
      toShard: createRingMemory(RING_BYTES),
    }))
    this.#toLot = links.map(({ toLot }) => new RingProducer(toLot))
    this.#fromLot = links.map(({ toShard }) => new RingConsumer(toShard))
    const shards = new Shards(
      links,
      links.map(() => createDoorbellMemory()),
    )
    const config = BrokerConfig.parse(options.config ?? {})
    const setup: RunnerSetup = {
      config: { lot: config.lot, models: config.models, compat: config.compat, python: config.python },
      clock: this.clock.memory,
      progress: new SharedArrayBuffer(progressBytes(threads)),
    }
    this.#pool = new BatchPool(new URL('../../workers/lot-runner.js', import.meta.url), {
      // all of them only where that matters: they take long to start
      threads: options.isReady ? threadsReady(threads) : threads + 1,
      threadsMax: threadsMax(threads),
      heapBytesMax: config.lot.heapBytesMax,
      setup,
      onMessage: (message) => {
        const { callPort } = message as { readonly callPort: MessagePort }
        if (options.onRunner === undefined) callPort.close()
        else options.onRunner(callPort)
      },
      onError: () => {},
    })
    const doorbell = createDoorbellMemory()
    this.#bell = new Doorbell(doorbell)
    this.host = new LotHost({
      config,
      clock: this.clock,
      log: options.log ?? silentLogger,
      counters: this.counters,
      shards,
      tell: (event) => {
        this.events.push(event)
        if (event.kind === 'needValues') setImmediate(() => this.host.giveValues(event.number, options.retained ?? []))
      },
      runners: {
        run: async (batch, end) => {
          const result = await this.#pool.run(batch, [batch.events], end)
          if (this.deaths-- > 0) throw new Error('worker exited with code: 1')
          return result
        },
      },
      threads,
      progress: setup.progress,
      poke: () => this.reactor.poke(),
    })
    this.reactor = new Reactor(
      doorbell,
      () => this.host.work(),
      () => shards.flush(),
      () => shards.hasInput,
    )
    this.reactor.start()
    this.#poll = setInterval(() => this.takeAll(), 1)
  }

  async install(...sources: string[]): Promise<void> {
    const definitions = sources.map((source): RunnableDefinition => {
      const match = /DEFINE (ACTION|MODEL) (\w+)/.exec(source)
      return { kind: match?.[1] === 'MODEL' ? 'model' : 'action', name: match?.[2] ?? '', source }
    })
    await this.host.install(definitions)
    this.#installed.push(...definitions)
  }

  /** As new, but for its threads, which take long to start. */
  async reset(): Promise<this> {
    await this.host.remove(this.#installed.splice(0))
    await this.settle()
    this.published.length = 0
    this.events.length = 0
    this.taken.length = 0
    return this
  }

  /** As a shard forwards it. Visible to LoT after `flush`. */
  write(topic: string, payload: string | Uint8Array, message: SentMessage = {}): void {
    const payloadBytes = typeof payload === 'string' ? encodeText(payload) : payload
    const identity = message.identity === undefined ? '' : JSON.stringify(message.identity)
    const fields = [encodeText(topic), payloadBytes, encodeText(message.clientId ?? ''), encodeText(identity)]
    this.writeFields(fields, hashBytes(fields[0], 0, fields[0].length), message)
  }

  /** @param fields topic, payload, client identifier and identity, which may be empty */
  writeFields(fields: readonly Uint8Array[], hash: number, message: SentMessage): void {
    const shard = (hash >>> 0) % this.#toLot.length
    const ring = this.#toLot[shard]
    const fixed = LOT_FIXED_INTS * 4
    let length = fixed
    for (const field of fields) length += field.length
    const at = ring.begin(length)
    const i = at >> 2
    ring.ints[i + KIND] = ToLotKind.MESSAGE
    ring.ints[i + SLOT] = shard
    ring.ints[i + LOT_NUMBER] = message.number ?? 0
    ring.ints[i + LOT_FLAGS] = (message.qos ?? 0) | (message.retain ? 4 : 0) | ((message.depth ?? 0) << DEPTH_SHIFT)
    ring.ints[i + LOT_TOPIC_HASH] = hash
    let to = fixed
    for (let field = 0; field < fields.length; field++) {
      const bytes = fields[field]
      ring.ints[i + FIELD_PLACES[field]] = to
      ring.ints[i + FIELD_PLACES[field] + 1] = bytes.length
      for (let k = 0; k < bytes.length; k++) ring.bytes[at + to + k] = bytes[k]
      to += bytes.length
    }
    ring.end(at, length)
  }

  /** The test plays this shard through other rings from now on. */
  replaceShard(shard: number, link: LotLink): void {
    this.#toLot[shard] = new RingProducer(link.toLot)
    this.#fromLot[shard] = new RingConsumer(link.toShard)
  }

  get isCongested(): boolean {
    return this.#toLot.some((ring) => ring.isCongested)
  }

  flush(): void {
    for (const ring of this.#toLot) ring.publish()
    this.#bell.ring()
  }

  send(topic: string, payload: string | Uint8Array, message?: SentMessage): void {
    this.write(topic, payload, message)
    this.flush()
  }

  session(event: SessionEvent): void {
    const json = encodeText(JSON.stringify(event))
    const ring = this.#toLot[0]
    const at = ring.begin(16 + json.length)
    ring.ints[(at >> 2) + KIND] = ToLotKind.SESSION
    ring.ints[(at >> 2) + SLOT] = 0
    ring.ints[(at >> 2) + 3] = json.length
    ring.bytes.set(json, at + 16)
    ring.end(at, 16 + json.length)
    this.flush()
  }

  /** Resolves when nothing waits, nothing runs and everything that was published has been noted. */
  async settle(): Promise<void> {
    do {
      await this.reactor.settle()
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.takeAll()
    } while (!this.host.isIdle)
    await this.reactor.settle()
    this.takeAll()
  }

  /** Messages as `topic=payload`, with ` qos1`, ` retained`, ` kept` behind; and forgets them. What `$SYS` says is left out. */
  texts(): string[] {
    const texts = this.published
      .filter(({ topic }) => !topic.startsWith('$SYS'))
      .map(({ topic, payload, qos, retain, onlyRetain }) =>
        [`${topic}=${payload}`, qos > 0 ? `qos${qos}` : '', onlyRetain ? 'kept' : retain ? 'retained' : '']
          .filter((part) => part !== '')
          .join(' '),
      )
    this.published.length = 0
    return texts
  }

  /** The last message on a topic. */
  last(topic: string): string | undefined {
    return this.published.filter((one) => one.topic === topic).at(-1)?.payload
  }

  /** Resolves once `found` answers something. */
  async until<Value>(found: () => Value | undefined | false, ms = 5_000): Promise<Value> {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      this.takeAll()
      const value = found()
      if (value !== undefined && value !== false) return value
      await new Promise<void>((resolve) => setTimeout(resolve, 1))
    }
    throw new Error('it did not come')
  }

  takeAll(): void {
    this.#fromLot.forEach((ring, shard) => {
      ring.drain((bytes, ints, at) => this.#receive(shard, bytes, ints, at), Number.POSITIVE_INFINITY)
    })
    this.flush()
  }

  async close(): Promise<void> {
    clearInterval(this.#poll)
    this.reactor.stop()
    this.host.close()
    await this.#pool.destroy()
  }

  #receive(shard: number, bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    switch (ints[i + KIND]) {
      case FromLotKind.PUBLISH: {
        if (this.onPublish !== undefined) {
          this.onPublish()
          return
        }
        const flags = ints[i + 3]
        this.published.push({
          topic: decodeText(bytes, at + 24, ints[i + 4]),
          payload: decodeText(bytes, at + 24 + ints[i + 4], ints[i + 5]),
          qos: flags & QOS_BITS,
          retain: (flags & RETAIN) !== 0,
          onlyRetain: (flags & ONLY_RETAIN) !== 0,
          isGoverned: (flags & GOVERNED) !== 0,
          depth: flags >> DEPTH_SHIFT,
        })
        return
      }
      case FromLotKind.WANT: {
        const filter = decodeText(bytes, at + 24, ints[i + 5])
        if (ints[i + 4] === 1) this.wanted.add(filter)
        else this.wanted.delete(filter)
        this.#confirm(shard, ints[i + 3])
        return
      }
      case FromLotKind.TAKEN:
        this.taken.push(`${ints[i + 3]} ${ints[i + 4] === 1 ? 'taken' : 'refused'}`)
        return
      case FromLotKind.HOOKS:
        this.hooks = ints[i + 3]
    }
  }

  #confirm(shard: number, number: number): void {
    const ring = this.#toLot[shard]
    const at = ring.begin(16)
    ring.ints[(at >> 2) + KIND] = ToLotKind.WANTED
    ring.ints[(at >> 2) + SLOT] = shard
    ring.ints[(at >> 2) + LOT_NUMBER] = number
    ring.end(at, 16)
  }
}
