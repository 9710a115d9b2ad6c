import type { Qos } from '../../src/mqtt/packets.js'
import { type ClientContext, type ClientRole, LoadClient, type Welcome } from './client.js'
import type { Identity, LoadVersion } from './identity.js'
import { Ledger } from './ledger.js'
import { forEachLimited } from './limiter.js'
import { makePacer, type Pacer } from './pacer.js'
import { nowMicros } from './payload.js'
import { Pinger } from './pinger.js'
import type { Plan, SubscriberPlan } from './plan.js'
import { Publisher } from './publisher.js'
import { SlowReaders } from './slow-readers.js'
import { Subscriber } from './subscriber.js'

export interface TrafficOptions {
  /** Unique among all that use the broker: client identifiers and topics begin with it. */
  readonly prefix: string
  readonly qos: Qos
  readonly retain: boolean
  readonly payloadBytes: number
  /** Messages of one publisher that have not reached everybody yet. */
  readonly window: number
  /** Messages per second of all publishers together; 0 is flat out. */
  readonly ratePerSecond: number
  readonly version: LoadVersion
  readonly isPersistent: boolean
}

/** Counts over the whole run, warm-up included, so that nothing escapes the check. */
export interface TrafficCounts {
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly duplicated: number
  readonly outOfOrder: number
  readonly unexpected: number
  readonly refused: number
  readonly unacknowledged: number
  /** At slow readers; at QoS 0 a broker is right to drop what it cannot get rid of. */
  readonly slowDelivered: number
  readonly slowLost: number
  readonly connectionsLost: number
}

const CONNECTING_MAX = 256
const KEEP_ALIVE_SECONDS = 90
/** Slow readers at QoS 0 are owed nothing for sure, so we only wait until no more comes. */
const SLOW_QUIET_MS = 1_000
const DRAIN_STEP_MS = 10
const LOSSES_KEPT = 10

export interface Patience {
  /** What is still under way after this long without any arrival is lost. */
  readonly drainQuietMs: number
}

const PATIENCE: Patience = { drainQuietMs: 5_000 }

/** Publishers and subscribers of a plan on one broker: connects them, keeps them busy, and knows what arrived. */
export class Traffic {
  readonly ledger: Ledger
  readonly subscribers: readonly Subscriber[]
  /** The first connections that were lost, with the reason. */
  readonly losses: string[] = []
  connectionsLost = 0
  readonly #publishers: readonly Publisher[]
  readonly #idle: readonly LoadClient[]
  readonly #pacer: Pacer
  readonly #pinger: Pinger
  readonly #slowReaders: SlowReaders
  /** Per publisher: receivers of one message, and the deliveries that fill its window. */
  readonly #fan: Int32Array
  readonly #owedMax: Int32Array

  readonly #plan: Plan

  constructor(
    plan: Plan,
    readonly options: TrafficOptions,
    context: ClientContext,
    credentials: Pick<Identity, 'userName' | 'password'>,
    private readonly patience: Patience = PATIENCE,
  ) {
    const wake = (publisher: number): void => this.#pacer.wake(publisher)
    const noteLoss = (clientId: string, reason: string): void => this.#noteLoss(clientId, reason)
    this.#plan = plan
    this.ledger = new Ledger(plan, wake)
    const { ledger } = this
    const identify = (role: string, index: number): Identity => ({
      clientId: `${options.prefix}-${role}${index}`,
      version: options.version,
      isPersistent: options.isPersistent,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      ...credentials,
    })
    this.subscribers = plan.subscribers.map(
      (_, index) => new Subscriber(identify('s', index), context, ledger.receiverOf[index], ledger, noteLoss),
    )
    let firstStream = 0
    this.#fan = new Int32Array(plan.publishers.length)
    const { qos, retain, payloadBytes, window } = options
    const perTick =
      options.ratePerSecond === 0 ? window : Math.ceil(options.ratePerSecond / plan.publishers.length / 20)
    const batchMax = Math.max(1, Math.min(window, perTick))
    this.#publishers = plan.publishers.map(({ topics }, index) => {
      const publisherOptions = { index, topics, firstStream, qos, retain, payloadBytes, batchMax }
      for (const nth of topics.keys()) this.#fan[index] = Math.max(this.#fan[index], ledger.fan[firstStream + nth])
      firstStream += topics.length
      return new Publisher(identify('p', index), context, publisherOptions, ledger, wake, noteLoss)
    })
    this.#owedMax = this.#fan.map((fan) => fan * window)
    const idleRole = new IdleRole(noteLoss)
    this.#idle = Array.from(
      { length: plan.idleClients },
      (_, index) => new LoadClient(identify('i', index), context, idleRole),
    )
    const room = (publisher: number): number => this.#room(publisher)
    const send = (publisher: number, count: number): number => this.#publishers[publisher].send(count, nowMicros())
    this.#pacer = makePacer({ room, send }, plan.publishers.length, options.ratePerSecond, Math.max(1, window >>> 2))
    this.#pinger = new Pinger(this.#clients(), KEEP_ALIVE_SECONDS / 3)
    const slow = this.subscribers.filter((subscriber) => subscriber.receiver.plan.isSlow === true)
    this.#slowReaders = new SlowReaders(slow.map(({ client }) => client))
  }

  /** Connects everybody, subscribers first. @throws Error when the broker refuses one of them */
  async open(onProgress: (connected: number, total: number) => void = () => {}): Promise<void> {
    const { qos } = this.options
    const total = this.#clients().length
    let connected = 0
    const count = (): void => onProgress(++connected, total)
    await forEachLimited(this.subscribers.length, CONNECTING_MAX, async (index) => {
      const { client } = this.subscribers[index]
      await this.#openClient(client)
      await subscribeAll(client, this.#plan.subscribers[index], qos)
      count()
    })
    await forEachLimited(this.#publishers.length, CONNECTING_MAX, async (index) => {
      const publisher = this.#publishers[index]
      publisher.receiveMaximum = (await this.#openClient(publisher.client)).receiveMaximum ?? 65_535
      count()
    })
    await forEachLimited(this.#idle.length, CONNECTING_MAX, async (index) => {
      await this.#openClient(this.#idle[index])
      count()
    })
    this.#pinger.start()
  }

  start(): void {
    this.#slowReaders.start()
    if (this.#publishers.length > 0) this.#pacer.start()
  }

  /** Stops publishing and waits for what is under way, as long as something still comes. */
  async stop(): Promise<void> {
    this.#pacer.stop()
    this.#slowReaders.stop()
    let progress = -1
    let quietMs = 0
    while (quietMs < (this.#isSettled() ? SLOW_QUIET_MS : this.patience.drainQuietMs)) {
      if (this.#isSettled() && this.ledger.missing(true) === 0) break
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS))
      const now = this.ledger.delivered - this.unacknowledged()
      quietMs = now === progress ? quietMs + DRAIN_STEP_MS : 0
      progress = now
    }
  }

  /** Leaves the broker as it was: no retained message and no session stays. */
  async close(): Promise<void> {
    this.#pinger.stop()
    if (this.options.retain) for (const publisher of this.#publishers) publisher.clearRetained()
    const clients = this.#clients()
    for (const client of clients) client.disconnect()
    if (!this.options.isPersistent) return
    await forEachLimited(clients.length, CONNECTING_MAX, async (index) => {
      // A session that cannot be removed now expires within a day.
      await clients[index].open(true).then(
        () => clients[index].disconnect(),
        () => {},
      )
    })
  }

  /** Drops everything at once, after a failure; otherwise open connections would keep the process alive. */
  abandon(): void {
    this.#pacer.stop()
    this.#slowReaders.stop()
    this.#pinger.stop()
    for (const client of this.#clients()) client.destroy()
  }

  unacknowledged(): number {
    return this.#publishers.reduce((sum, publisher) => sum + publisher.unacknowledged, 0)
  }

  counts(): TrafficCounts {
    const { ledger } = this
    return {
      sent: ledger.sentTotal(),
      delivered: ledger.delivered,
      lost: ledger.missing(false),
      duplicated: ledger.duplicated,
      outOfOrder: ledger.outOfOrder,
      unexpected: ledger.unexpected,
      refused: ledger.refusedTotal(),
      unacknowledged: this.unacknowledged(),
      slowDelivered: ledger.deliveredSlow,
      slowLost: ledger.missing(true),
      connectionsLost: this.connectionsLost,
    }
  }

  /** Hot. What both windows leave: what is owed to subscribers, and what the broker has not acknowledged. */
  #room(index: number): number {
    const { unacknowledged, receiveMaximum } = this.#publishers[index]
    const { window } = this.options
    const fan = this.#fan[index]
    const byOwed = fan === 0 ? window : ((this.#owedMax[index] - this.ledger.owed[index]) / fan) | 0
    return Math.min(byOwed, Math.min(window, receiveMaximum) - unacknowledged)
  }

  #isSettled(): boolean {
    return this.unacknowledged() === 0 && this.ledger.missing(false) === 0
  }

  async #openClient(client: LoadClient): Promise<Welcome> {
    const welcome = await client.open()
    const { qos } = this.options
    if ((welcome.maximumQos ?? 2) < qos) throw new Error(`the broker allows QoS ${welcome.maximumQos} at most`)
    if ((welcome.maximumPacketBytes ?? Number.POSITIVE_INFINITY) < this.options.payloadBytes) {
      throw new Error(`the broker allows packets of ${welcome.maximumPacketBytes} bytes at most: see --payload`)
    }
    return welcome
  }

  #clients(): LoadClient[] {
    return [
      ...this.subscribers.map(({ client }) => client),
      ...this.#publishers.map(({ client }) => client),
      ...this.#idle,
    ]
  }

  #noteLoss(clientId: string, reason: string): void {
    this.connectionsLost++
    if (this.losses.length < LOSSES_KEPT) this.losses.push(`${clientId}: ${reason}`)
  }
}

/** Packets of a size that no broker finds too large. */
const FILTERS_PER_PACKET = 100

async function subscribeAll(
  client: LoadClient,
  { filters, idleFilters = [] }: SubscriberPlan,
  qos: Qos,
): Promise<void> {
  const all = [...filters, ...idleFilters]
  for (let at = 0; at < all.length; at += FILTERS_PER_PACKET) {
    await client.subscribe(all.slice(at, at + FILTERS_PER_PACKET), qos)
  }
}

class IdleRole implements ClientRole {
  constructor(private readonly noteLoss: (clientId: string, reason: string) => void) {}
  onPublish(): void {}
  onAck(): void {}
  onFlushed(): void {}
  onLost(reason: string): void {
    this.noteLoss('an idle client', reason)
  }
}
