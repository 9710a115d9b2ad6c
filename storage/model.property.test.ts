/** Journals, writer and Restore against a model that takes a few lines: what is committed comes back, and nothing else. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type LogRecord, Progress, type Publisher, type RestoredDelivery } from '../src/contracts/storage.js'
import { SHARDS_MAX } from '../src/contracts/store-records.js'
import { MemoryEngine } from './memory-engine.js'
import { loggedMessage, payloadOf, receiver, StoreParts, storedSession, topicOf } from './store-parts.fixture.js'

interface Place {
  readonly session: number
  packetId: number
  progress: number
}

interface ModelSession {
  readonly filters: Map<string, number>
  readonly received: Set<number>
}

interface ModelMessage {
  readonly log: number
  readonly sequence: number
  readonly text: string
  readonly places: Place[]
}

/** Plain data, so that a commit is a copy of it. */
class Model {
  sessions = new Map<number, ModelSession>()
  messages: ModelMessage[] = []
  retained = new Map<string, { stamp: number; payload: string }>()
}

/** What a shard holds of a message that a session of it is not done with. */
interface Handle {
  readonly session: number
  readonly record: LogRecord
  readonly at: number
  readonly place: Place
}

/** Sessions are named by their numbers, so that an owner follows from a name. */
const ownerOf = (shards: number) => (clientId: string) => (Number(clientId) % 7) % shards

class Broker {
  model = new Model()
  committed = new Model()
  parts: StoreParts
  handles: Handle[] = []
  #texts = 0
  #groups = 0
  #stamps = 0
  #packetIds = 0
  readonly engine = new MemoryEngine()

  constructor(public shards: number) {
    this.parts = this.#open()
  }

  #open(): StoreParts {
    return new StoreParts({ engine: this.engine, shards: this.shards, ringBytes: 4_096 }, ownerOf(this.shards))
  }

  owner(session: number): number {
    return ownerOf(this.shards)(String(session))
  }

  #session(choice: number): number | undefined {
    const numbers = [...this.model.sessions.keys()]
    return numbers[choice % numbers.length]
  }

  #packetId(): number {
    return (this.#packetIds++ % 65_535) + 1
  }

  /** One thing that a broker does. */
  step([kind, a, b]: Step): void {
    const session = this.#session(a)
    if (kind === 'connect') this.#connect(a % this.shards)
    else if (kind === 'commit') this.commit()
    else if (kind === 'retain') this.#retain(a, b)
    else if (session === undefined) return
    else if (kind === 'end') this.#end(session)
    else if (kind === 'subscribe') this.#subscribe(session, b)
    else if (kind === 'publish') this.#publish(session, a, b)
    else if (kind === 'together') this.#publishTogether(session, b)
    else if (kind === 'release') this.#release(session, b)
    else this.#acknowledge(kind, b)
  }

  #connect(shard: number): void {
    // the first number of this journal whose owner it is
    let number = this.parts.journals[shard].nextSessionNumber()
    while (this.owner(number) !== shard) number = this.parts.journals[shard].nextSessionNumber()
    this.parts.journals[shard].putSession(storedSession(number, String(number)))
    this.model.sessions.set(number, { filters: new Map(), received: new Set() })
  }

  #end(session: number): void {
    const journal = this.parts.journals[this.owner(session)]
    journal.deleteSession(session)
    this.model.sessions.delete(session)
    for (const handle of this.handles.filter((each) => each.session === session)) this.#done(handle)
  }

  #subscribe(session: number, choice: number): void {
    const journal = this.parts.journals[this.owner(session)]
    const filter = `f/${choice % 3}`
    const filters = this.model.sessions.get(session)?.filters
    if (choice % 4 === 0) {
      journal.deleteSubscription(session, filter)
      filters?.delete(filter)
      return
    }
    const identifier = choice % 100
    journal.putSubscription(session, { filter, qos: 1, noLocal: false, retainAsPublished: true, identifier })
    filters?.set(filter, identifier)
  }

  /**
   * Adds receivers in one shard.
   * @param choice a bit for each session of it
   * @param full a bit for each that has no room and drops the message before it is written
   */
  #receivers(shard: number, choice: number, full = 0): Handle[] {
    const added: Handle[] = []
    for (const session of this.model.sessions.keys()) {
      if (this.owner(session) !== shard || ((choice >> (session % 5)) & 1) === 0) continue
      const packetId = choice % 2 === 0 ? 0 : this.#packetId()
      const record = this.parts.journals[shard].addReceiver(receiver(session, packetId))
      const place: Place = { session, packetId, progress: packetId === 0 ? Progress.QUEUED : Progress.SENT }
      const handle = { session, record, at: record.places - 1, place }
      added.push(handle)
      if ((full >> (session % 5)) & 1) this.#done(handle)
    }
    return added
  }

  #keep(text: string, handles: readonly Handle[]): void {
    if (handles.length === 0) return
    const { log, sequence } = handles[0].record
    this.model.messages.push({ log, sequence, text, places: handles.map(({ place }) => place) })
    this.handles.push(...handles.filter(({ place }) => place.progress < Progress.DONE))
  }

  #publish(publisher: number, a: number, b: number): void {
    const shard = this.owner(publisher)
    const text = `m${this.#texts++}`
    const handles = this.#receivers(shard, b, a % 5 === 0 ? a : 0)
    const from: Publisher | undefined = a % 3 === 0 ? { session: publisher, packetId: this.#packetId() } : undefined
    this.parts.journals[shard].append(loggedMessage({ payload: text, topicStart: a % 7 }), from, 0)
    if (from !== undefined) this.model.sessions.get(publisher)?.received.add(from.packetId)
    this.#keep(text, handles)
  }

  #publishTogether(publisher: number, b: number): void {
    const speaker = this.owner(publisher)
    const group = ++this.#groups * SHARDS_MAX + speaker
    let parts = 0
    for (const [shard, journal] of this.parts.journals.entries()) {
      const text = `m${this.#texts++}`
      const handles = this.#receivers(shard, b >> shard)
      if (handles.length === 0) continue
      journal.append(loggedMessage({ payload: text, qos: 2 }), undefined, group)
      parts++
      this.#keep(text, handles)
    }
    const from = { session: publisher, packetId: this.#packetId() }
    this.parts.journals[speaker].commitTogether(group, parts, from)
    this.model.sessions.get(publisher)?.received.add(from.packetId)
  }

  #release(session: number, choice: number): void {
    const received = this.model.sessions.get(session)?.received ?? new Set<number>()
    const packetId = [...received][choice % Math.max(1, received.size)]
    if (packetId === undefined) return
    this.parts.journals[this.owner(session)].deleteReceived({ session, packetId })
    received.delete(packetId)
  }

  #acknowledge(kind: 'sent' | 'released' | 'done', choice: number): void {
    const handle = this.handles[choice % Math.max(1, this.handles.length)]
    if (handle === undefined) return
    const { record, at, place, session } = handle
    const journal = this.parts.journals[this.owner(session)]
    if (kind === 'done') this.#done(handle)
    else if (kind === 'sent' && place.progress === Progress.QUEUED) {
      place.packetId = this.#packetId()
      place.progress = Progress.SENT
      journal.sent(record, at, place.packetId)
    } else if (kind === 'released' && place.progress === Progress.SENT) {
      place.progress = Progress.RELEASED
      journal.released(record, at, place.packetId)
    }
  }

  #done(handle: Handle): void {
    this.parts.journals[this.owner(handle.session)].done(handle.record, handle.at)
    handle.place.progress = Progress.DONE
    this.handles = this.handles.filter((each) => each !== handle)
  }

  /** Shards may tell of two messages of a topic in either order. */
  #retain(a: number, b: number): void {
    const topic = `r/${a % 3}`
    const payload = b % 3 === 0 ? '' : `v${b}`
    const stamp = ++this.#stamps + (b % 10) * 1_000_000
    this.parts.journals[a % this.shards].putRetained(topic, loggedMessage({ topic, payload, retain: true }), stamp)
    const old = this.model.retained.get(topic)
    if (old === undefined || old.stamp < stamp) this.model.retained.set(topic, { stamp, payload })
  }

  commit(): void {
    this.parts.commit()
    for (const journal of this.parts.journals) assert.ok(journal.isFlushed)
    this.committed = structuredClone(this.model)
    this.checkCounts()
  }

  /** What waits for nobody is not in the store. */
  checkCounts(): void {
    const tables = (name: string): number =>
      this.engine.tables
        .filter((table) => table.startsWith(name))
        .reduce((sum, table) => sum + this.engine.count(table), 0)
    const live = this.committed.messages.filter(({ places }) => places.some(({ progress }) => progress < Progress.DONE))
    assert.equal(tables('log.'), live.length, 'messages in the store')
    assert.ok(tables('progress.') <= live.length)
  }

  /**
   * All is lost that was not committed, and other shards take over.
   * @param isTogether in the middle of a message whose parts are written, but nobody says how many
   */
  crash(shards: number, isTogether: boolean): void {
    if (isTogether) {
      this.commit()
      for (const [shard, journal] of this.parts.journals.entries()) {
        if (this.#receivers(shard, 31).length > 0) journal.append(loggedMessage({ qos: 2 }), undefined, SHARDS_MAX)
      }
      this.parts.commit()
      this.checkCounts()
    }
    this.shards = shards
    this.model = structuredClone(this.committed)
    // cleared topics are remembered as long as there may be somebody who tells of an older message
    this.#stamps += 100_000_000
    this.handles = []
    this.parts = this.#open()
    for (const shard of this.parts.journals.keys()) this.#restore(shard)
    this.#checkRetained()
  }

  #restore(shard: number): void {
    const restore = this.parts.restores[shard]
    const own = [...this.model.sessions].filter(([number]) => this.owner(number) === shard)
    const sessions = [...restore.sessions.rest()].map(({ session, subscriptions, received }) => ({
      session: JSON.stringify(session),
      filters: subscriptions.map(({ filter, identifier }) => [filter, identifier]),
      received: [...received],
    }))
    const inOrder = own.sort(([a], [b]) => a - b)
    const expected = inOrder.map(([number, { filters, received }]) => ({
      session: JSON.stringify(storedSession(number, String(number))),
      filters: [...filters].sort(),
      received: [...received].sort((a, b) => a - b),
    }))
    assert.deepEqual(sessions, expected)
    const deliveries = [...restore.deliveries(() => assert.fail('somebody waits for every message'))]
    this.#checkDeliveries(
      shard,
      deliveries.filter((each) => each !== undefined),
    )
    assert.deepEqual(restore.sessions.damage, { sessions: 0, subscriptions: 0 })
    assert.deepEqual(restore.damage, { retained: 0, messages: 0 })
  }

  #checkDeliveries(shard: number, deliveries: readonly RestoredDelivery[]): void {
    // the shard's own log comes last: sessions that have moved here had their messages in others before
    const place = (log: number): number => (log === shard ? Number.POSITIVE_INFINITY : log)
    const ordered = [...this.model.messages].sort((a, b) =>
      a.log === b.log ? a.sequence - b.sequence : place(a.log) - place(b.log),
    )
    const expected = ordered.flatMap(({ text, log, sequence, places }) =>
      places
        .filter(({ progress, session }) => progress < Progress.DONE && this.owner(session) === shard)
        .map((place) => ({ text, log, sequence, place })),
    )
    const describe = (text: string, log: number, sequence: number, { session, packetId, progress }: Place): string =>
      `${text} ${log}.${sequence} to ${session}: #${packetId} ${progress}`
    assert.deepEqual(
      deliveries.map(({ message, record, receiver: to, packetId, progress }) => {
        const place = { session: to.session, packetId, progress }
        return describe(payloadOf(message), record.log, record.sequence, place)
      }),
      expected.map(({ text, log, sequence, place }) => describe(text, log, sequence, place)),
    )
    for (const [index, { record, place }] of deliveries.entries()) {
      this.handles.push({ session: expected[index].place.session, record, at: place, place: expected[index].place })
    }
  }

  #checkRetained(): void {
    const found = [...this.parts.restores[0].retained()].map(({ message, stamp }) => [
      topicOf(message),
      { stamp, payload: payloadOf(message) },
    ])
    const expected = [...this.model.retained].filter(([, { payload }]) => payload !== '').sort()
    assert.deepEqual(found, expected)
  }
}

const acknowledgements = ['sent', 'released', 'done'] as const
const rare = ['end', 'subscribe', 'release', 'retain', 'commit'] as const
const publishing = ['publish', 'together'] as const
type Kind = 'connect' | (typeof acknowledgements)[number] | (typeof rare)[number] | (typeof publishing)[number]
type Step = [kind: Kind, a: number, b: number]

t.test('after any steps and a crash at any point, the store has what the last commit had', async () => {
  const weighted = fc.oneof(
    { arbitrary: fc.constantFrom<Kind>(...publishing), weight: 3 },
    { arbitrary: fc.constantFrom<Kind>(...acknowledgements), weight: 4 },
    { arbitrary: fc.constantFrom<Kind>(...rare), weight: 3 },
    { arbitrary: fc.constant<Kind>('connect'), weight: 1 },
  )
  const steps = fc.array(fc.tuple(weighted, fc.nat(1_000), fc.nat(1_000)), { maxLength: 60, size: 'max' })
  const lives = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), steps), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(lives, (all) => {
      const broker = new Broker(all[0][0])
      for (const [index, [shards, work]] of all.entries()) {
        if (index > 0) broker.crash(shards, work.length % 4 === 0)
        for (const step of work) broker.step(step)
      }
      broker.crash(all[0][0], false)
      // and in the end everybody is done with everything
      for (const { record, at, session } of broker.handles) {
        broker.parts.journals[broker.owner(session)].done(record, at)
      }
      for (const message of broker.model.messages) for (const place of message.places) place.progress = Progress.DONE
      broker.commit()
    }),
    { numRuns: 200 },
  )
})
