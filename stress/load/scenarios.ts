/** What each scenario connects to what. Options left out by the user come from here. */
import type { Plan, PublisherPlan, SubscriberPlan } from './plan.js'
import { type Random, seededRandom } from './random.js'
import { wildcardPlan } from './wildcard-plan.js'

/** The figures of a scenario that a user can change. */
export interface Figures {
  readonly publishers: number
  readonly subscribers: number
  readonly qos: 0 | 1 | 2
  readonly payloadBytes: number
  readonly seconds: number
  readonly warmupSeconds: number
  /** Messages per second of all publishers; 0 is flat out. */
  readonly ratePerSecond: number
  /** Messages of one publisher that may be on their way. */
  readonly window: number
  /** Clients beside publishers and subscribers: slow readers, idle ones, those that come and go. */
  readonly connections: number
}

export interface Scenario {
  readonly name: string
  readonly summary: string
  readonly defaults: Partial<Figures>
  plan(figures: Figures, prefix: string, random: Random): Plan
  /** What the extra connections do. */
  readonly activity?: 'connectionStorm' | 'subscriptionChurn'
  /** A broker that falls behind the rate, or whose memory grows, while it is measured for 30 s or more, fails. */
  readonly judgesTrend?: boolean
}

export const FIGURES: Figures = {
  publishers: 10,
  subscribers: 10,
  qos: 0,
  payloadBytes: 64,
  seconds: 10,
  warmupSeconds: 1,
  ratePerSecond: 0,
  window: 256,
  connections: 0,
}

const topic = (prefix: string, publisher: number): string => `${prefix}/${publisher}`

function publishersOf(count: number, prefix: string): PublisherPlan[] {
  return Array.from({ length: count }, (_, index) => ({ topics: [topic(prefix, index)] }))
}

function repeated(count: number, subscriber: (index: number) => SubscriberPlan): SubscriberPlan[] {
  return Array.from({ length: count }, (_, index) => subscriber(index))
}

/** Subscriber n listens to publisher n; where there are more of one kind, they start again with the first. */
function pairs({ publishers, subscribers }: Figures, prefix: string): Plan {
  return {
    publishers: publishersOf(publishers, prefix),
    subscribers: repeated(subscribers, (index) => {
      const from = index % publishers
      return { filters: [topic(prefix, from)], streams: { from, to: from + 1 } }
    }),
    idleClients: 0,
  }
}

function everybodyHearsEverything({ publishers, subscribers }: Figures, prefix: string): Plan {
  const streams = { from: 0, to: publishers }
  return {
    publishers: publishersOf(publishers, prefix),
    subscribers: repeated(subscribers, () => ({ filters: [`${prefix}/#`], streams })),
    idleClients: 0,
  }
}

function shared({ publishers, subscribers }: Figures, prefix: string): Plan {
  const streams = { from: 0, to: publishers }
  const filters = [`$share/load/${prefix}/#`]
  return {
    publishers: publishersOf(publishers, prefix),
    subscribers: repeated(subscribers, () => ({ filters, streams, group: 'load' })),
    idleClients: 0,
  }
}

/** Pairs, and slow readers that listen to the first publisher. */
function slowConsumers(figures: Figures, prefix: string): Plan {
  const plan = pairs(figures, prefix)
  const slow: SubscriberPlan = { filters: [topic(prefix, 0)], streams: { from: 0, to: 1 }, isSlow: true }
  return { ...plan, subscribers: [...plan.subscribers, ...repeated(figures.connections, () => slow)] }
}

/** Publishers in as many groups as there are subscribers, each of which listens to one group. */
function onePerSecond({ publishers, subscribers }: Figures, prefix: string): Plan {
  const firstOf = (group: number): number => Math.ceil((group * publishers) / subscribers)
  const groups = Array.from({ length: subscribers }, (_, group) => ({ from: firstOf(group), to: firstOf(group + 1) }))
  return {
    publishers: groups.flatMap(({ from, to }, group) => publishersOf(to - from, `${prefix}/${group}`)),
    subscribers: groups.map((streams, group) => ({ filters: [`${prefix}/${group}/+`], streams })),
    idleClients: 0,
  }
}

const idle = ({ connections }: Figures): Plan => ({ publishers: [], subscribers: [], idleClients: connections })

export const SCENARIOS: readonly Scenario[] = [
  { name: 'pairs', summary: 'each publisher has a subscriber of its own', defaults: {}, plan: pairs },
  {
    name: 'fan-in',
    summary: 'many publishers, one subscriber to everything',
    defaults: { publishers: 50, subscribers: 1 },
    plan: everybodyHearsEverything,
  },
  {
    name: 'fan-out',
    summary: 'one publisher, many subscribers',
    defaults: { publishers: 1, subscribers: 50 },
    plan: everybodyHearsEverything,
  },
  {
    name: 'shared',
    summary: 'many publishers, one group that shares the messages',
    defaults: { publishers: 100, qos: 1 },
    plan: shared,
  },
  {
    name: 'connection-storm',
    summary: 'clients connect and leave, in order and abruptly, beside a light traffic',
    defaults: { publishers: 2, subscribers: 2, ratePerSecond: 200, qos: 1, connections: 100 },
    plan: pairs,
    activity: 'connectionStorm',
  },
  {
    name: 'slow-consumers',
    summary: 'some subscribers read 512 KiB a second at most; the others must not notice',
    defaults: { ratePerSecond: 20_000, connections: 5, payloadBytes: 1_024 },
    plan: slowConsumers,
  },
  {
    name: 'large-payloads',
    summary: 'messages of 1 MiB',
    defaults: { publishers: 4, subscribers: 4, payloadBytes: 1_048_576, window: 4 },
    plan: pairs,
  },
  {
    name: 'wildcards',
    summary: 'a tree of 100 topics per publisher, filters with + and # at every level, and many that never match',
    defaults: { subscribers: 30, connections: 100 },
    plan: (figures, prefix, random) => wildcardPlan({ ...figures, idleFilters: figures.connections }, prefix, random),
  },
  {
    name: 'subscription-churn',
    summary: 'clients subscribe and unsubscribe all the time beside a full traffic',
    defaults: { connections: 20 },
    plan: pairs,
    activity: 'subscriptionChurn',
  },
  {
    name: 'idle',
    summary: 'connections that do nothing: memory of each',
    defaults: { connections: 10_000, publishers: 0, subscribers: 0, seconds: 5, warmupSeconds: 2 },
    plan: idle,
  },
  {
    name: 'one-per-second',
    summary: 'many clients that publish once a second: CPU, and growth of memory',
    defaults: { publishers: 10_000, qos: 1, seconds: 120, warmupSeconds: 30, window: 10 },
    plan: onePerSecond,
    judgesTrend: true,
  },
]

/** @returns the figures of a scenario, with what the user chose in place of its defaults */
export function figuresOf(scenario: Scenario, chosen: Partial<Figures>): Figures {
  const figures = { ...FIGURES, ...scenario.defaults, ...chosen }
  const isPerClient = scenario.name === 'one-per-second' && chosen.ratePerSecond === undefined
  return isPerClient ? { ...figures, ratePerSecond: figures.publishers } : figures
}

/** @returns the plan; the same for the same arguments */
export function planOf(scenario: Scenario, figures: Figures, prefix: string, seed: number): Plan {
  return scenario.plan(figures, prefix, seededRandom(seed))
}
