import type { Qos } from '../../src/mqtt/packets.js'
import type { Random } from '../load/random.js'
import type { Ledger } from './ledger.js'
import { Publisher } from './publisher.js'
import type { SessionClient, Site } from './session-client.js'
import type { Stream } from './stream.js'
import { Subscriber, type SubscriberTraits } from './subscriber.js'
import type { Violations } from './violations.js'

/** Prefixes of the topics: ordinary ones, and those with retained values. */
export const LIVE = 'faults/live'
export const KEPT = 'faults/kept'

const PUBLISHERS = 6
const TOPICS_EACH = 2
const RETAINERS = 2
const RETAINED_TOPICS_EACH = 8
const GROUP_MEMBERS = 3
const WINDOW = 32
const PAYLOAD_BYTES = 200
/** Of the messages, those that are retained. */
const RETAINED_SHARE = 0.1

/** Everybody who takes part in a run. */
export interface Cast {
  readonly publishers: readonly Publisher[]
  /** Publishers of retained values, which keep still while these are checked. */
  readonly retainers: readonly Publisher[]
  readonly subscribers: readonly Subscriber[]
  /** Subscribers that are away most of the time. */
  readonly absentees: readonly Subscriber[]
  /** Sessions that are handed from connection to connection. */
  readonly restless: readonly Subscriber[]
  /** Subscribes to topics and gives them up again. */
  readonly fickle: Subscriber
  readonly liveStreams: readonly Stream[]
  readonly keptStreams: readonly Stream[]
}

/**
 * Makes the clients of a run; nobody is connected yet. MQTT 5 and 3.1.1 take turns.
 * @param isHeld whether publishers of retained values must not connect just now
 */
export function makeCast(ledger: Ledger, site: Site, isHeld: () => boolean): Cast {
  const publishers = makePublishers('publisher', PUBLISHERS, TOPICS_EACH, LIVE, { ledger, site })
  // They stay away as well, because whoever comes back repeats what is unacknowledged.
  const kept = { ledger, site: new HeldSite(site, isHeld) }
  const retainers = makePublishers('retainer', RETAINERS, RETAINED_TOPICS_EACH, KEPT, kept)
  const liveStreams = publishers.flatMap(({ streams }) => streams)
  const fraction = (nth: number, of: number) => liveStreams.filter(({ id }) => id % of === nth)
  const add = (traits: Omit<SubscriberTraits, 'receiveMaximum'> & { receiveMaximum?: number }, streams?: Stream[]) => {
    const { clientId: name, qos, isPersistent: isDurable } = traits
    const receiver = ledger.addReceiver({ name, qos, isDurable, isShared: false })
    const subscriber = new Subscriber({ receiveMaximum: 1_000, ...traits }, receiver, ledger, site)
    if (streams === undefined) subscriber.want(`${LIVE}/#`, liveStreams)
    else for (const stream of streams) subscriber.want(stream.topic, [stream])
    return subscriber
  }
  const stay = { isPersistent: true } as const
  const online = [
    add({ clientId: 'online-5', version: 5, qos: 2, ...stay }),
    add({ clientId: 'online-4', version: 4, qos: 1, ...stay }),
  ]
  const slow = [
    add({ clientId: 'slow-5', version: 5, qos: 2, acksPerTick: 2, receiveMaximum: 16, ...stay }, fraction(0, 4)),
    add({ clientId: 'slow-4', version: 4, qos: 1, acksPerTick: 3, ...stay }, fraction(1, 4)),
  ]
  const absentees = [
    add({ clientId: 'absent-5', version: 5, qos: 1, ...stay }, fraction(0, 2)),
    add({ clientId: 'absent-4', version: 4, qos: 2, ...stay }, fraction(1, 2)),
  ]
  const clean = [
    add({ clientId: 'clean-5', version: 5, qos: 2, isPersistent: false }),
    add({ clientId: 'clean-4', version: 4, qos: 1, isPersistent: false }, fraction(2, 4)),
  ]
  const restless = [
    add({ clientId: 'restless-5', version: 5, qos: 2, ...stay }, fraction(1, 3)),
    add({ clientId: 'restless-4', version: 4, qos: 1, ...stay }, fraction(2, 3)),
  ]
  const fickle = add({ clientId: 'fickle', version: 5, qos: 2, ...stay }, [])
  const group = makeGroup(ledger, site, liveStreams)
  const subscribers = [...online, ...slow, ...absentees, ...clean, ...restless, fickle, ...group]
  const keptStreams = retainers.flatMap(({ streams }) => streams)
  return { publishers, retainers, subscribers, absentees, restless, fickle, liveStreams, keptStreams }
}

/** A site to which nobody finds back while it is held. */
class HeldSite implements Site {
  readonly violations: Violations

  constructor(
    private readonly site: Site,
    private readonly isHeld: () => boolean,
  ) {
    this.violations = site.violations
  }

  get dialer(): Site['dialer'] {
    return this.isHeld() ? undefined : this.site.dialer
  }

  get isExcused(): boolean {
    return this.site.isExcused
  }

  onWelcome(): void {
    this.site.onWelcome()
  }

  reconnectMs(): number {
    return this.site.reconnectMs()
  }
}

interface Surroundings {
  readonly ledger: Ledger
  readonly site: Site
}

/** The topics of a publisher take turns between QoS 1 and 2. */
function makePublishers(name: string, count: number, topics: number, prefix: string, around: Surroundings) {
  return Array.from({ length: count }, (_, nth) => {
    const version = nth % 2 === 0 ? 5 : 4
    const retain = prefix === KEPT
    const traits = { clientId: `${name}-${nth}`, version, window: WINDOW, payloadBytes: PAYLOAD_BYTES, retain } as const
    const publisher = new Publisher(traits, around.ledger, around.site)
    for (let topic = 0; topic < topics; topic++) {
      publisher.addStream(`${prefix}/${nth}/${topic}`, (1 + (topic % 2)) as Qos)
    }
    return publisher
  })
}

function makeGroup(ledger: Ledger, site: Site, streams: readonly Stream[]): Subscriber[] {
  const receiver = ledger.addReceiver({ name: 'group', qos: 2, isDurable: true, isShared: true })
  return Array.from({ length: GROUP_MEMBERS }, (_, nth) => {
    const version = nth % 2 === 0 ? 5 : 4
    const traits = { clientId: `member-${nth}`, version, isPersistent: true, receiveMaximum: 100, qos: 2 } as const
    const member = new Subscriber(traits, receiver, ledger, site)
    member.want(`$share/group/${LIVE}/#`, streams)
    return member
  })
}

export function everyClient(cast: Cast): SessionClient[] {
  return [...cast.publishers, ...cast.retainers, ...cast.subscribers].map(({ client }) => client)
}

/** What the clients do between two faults, besides publishing: come, go, hand over, change their minds. */
export function stir(cast: Cast, random: Random): void {
  for (const { client } of cast.absentees) {
    if (random.next() < 0.3) client.join()
    else client.leave()
  }
  for (const { client } of cast.restless) if (random.next() < 0.7) client.takeOver()
  const anyone = everyClient(cast)
  const unlucky = anyone[random.integer(anyone.length)]
  if (random.next() < 0.3 && unlucky.isConnected) unlucky.drop()
  const stream = cast.liveStreams[random.integer(cast.liveStreams.length)]
  if (cast.fickle.wants(stream.topic)) void cast.fickle.unwant(stream.topic)
  else cast.fickle.want(stream.topic, [stream])
}

/** Spreads a rate over publishers; what they cannot take is not made up for, so that nothing piles up. */
export class Feed {
  #owedLive = 0
  #owedKept = 0
  #turn = 0

  constructor(
    private readonly cast: Cast,
    private readonly ratePerSecond: number,
    /** Whether retained values must not change just now. */
    private readonly isHeld: () => boolean,
  ) {}

  /** @param elapsedMs since the last call */
  tick(elapsedMs: number, nowMs: number): void {
    const owed = (this.ratePerSecond * Math.min(elapsedMs, CATCH_UP_MS)) / 1_000
    this.#owedLive = this.#pour(this.cast.publishers, this.#owedLive + owed * (1 - RETAINED_SHARE), nowMs)
    if (this.isHeld()) return
    this.#owedKept = this.#pour(this.cast.retainers, this.#owedKept + owed * RETAINED_SHARE, nowMs)
  }

  #pour(publishers: readonly Publisher[], owed: number, nowMs: number): number {
    for (let failures = 0; owed >= 1 && failures < publishers.length; ) {
      if (publishers[this.#turn++ % publishers.length].publish(nowMs)) {
        owed--
        failures = 0
      } else failures++
    }
    return owed % 1
  }
}

const CATCH_UP_MS = 100
