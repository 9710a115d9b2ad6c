/** The steady mixed load of a soak test: several kinds of traffic side by side, each with its own bookkeeping. */
import type { Qos } from '../../src/mqtt/packets.js'
import type { ClientContext } from '../load/client.js'
import { connectionStorm } from '../load/connection-storm.js'
import type { Identity, LoadVersion } from '../load/identity.js'
import type { Lanes } from '../load/lanes.js'
import type { Plan } from '../load/plan.js'
import { seededRandom } from '../load/random.js'
import { FIGURES, planOf, SCENARIOS } from '../load/scenarios.js'
import { subscriptionChurn } from '../load/subscription-churn.js'
import { Traffic } from '../load/traffic.js'
import { roaming } from './roaming.js'

export interface MixOptions {
  readonly prefix: string
  readonly version: LoadVersion
  readonly seed: number
  readonly ratePerSecond: number
  readonly userName: string | undefined
  readonly password: string | undefined
}

/** One kind of traffic. */
export interface Strand {
  readonly name: string
  readonly qos: Qos
  readonly traffic: Traffic
  /** Its subscribers leave and come back, so that its latency says nothing. */
  readonly isRoaming: boolean
}

export interface Mix {
  readonly strands: readonly Strand[]
  readonly activities: readonly Lanes[]
  open(): Promise<void>
  start(): void
  /** Waits for what is under way. */
  stop(): Promise<void>
  close(): Promise<void>
  /** Drops everything at once, after a failure. */
  abandon(): Promise<void>
}

interface Recipe {
  readonly name: string
  readonly qos: Qos
  /** Part of the total rate. */
  readonly share: number
  readonly payloadBytes: number
  readonly retain?: boolean
  readonly isRoaming?: boolean
  /** Slow readers beside the pairs. */
  readonly slow?: number
}

const RECIPES: readonly Recipe[] = [
  { name: 'qos0', qos: 0, share: 0.25, payloadBytes: 64 },
  { name: 'qos1', qos: 1, share: 0.25, payloadBytes: 256 },
  { name: 'qos2', qos: 2, share: 0.15, payloadBytes: 64 },
  { name: 'retained', qos: 1, share: 0.1, payloadBytes: 128, retain: true },
  { name: 'slow', qos: 0, share: 0.15, payloadBytes: 32_768, slow: 2 },
  { name: 'roaming1', qos: 1, share: 0.05, payloadBytes: 64, isRoaming: true },
  { name: 'roaming2', qos: 2, share: 0.05, payloadBytes: 64, isRoaming: true },
]

const PAIRS = 5
/** Enough for what comes while a roaming subscriber is away. */
const WINDOW = 10_000
const CONNECTIONS_PER_SECOND = 10
const SUBSCRIPTIONS_PER_SECOND = 20
const RECONNECTIONS_PER_SECOND = 1
const LANES = 5

export function makeMix(options: MixOptions, context: ClientContext): Mix {
  const { userName, password, version, seed, prefix } = options
  const strands = RECIPES.map((recipe) => makeStrand(recipe, options, context))
  const identityOf = (role: string): Identity => ({
    clientId: `${prefix}-${role}`,
    version,
    isPersistent: false,
    keepAliveSeconds: 0,
    userName,
    password,
  })
  const random = seededRandom(seed)
  const churn = subscriptionChurn(context, identityOf('c'), LANES, SUBSCRIPTIONS_PER_SECOND, random, `${prefix}-qos0`)
  const roamers = strands.filter(({ isRoaming }) => isRoaming).flatMap(({ traffic }) => traffic.subscribers)
  const activities = [
    connectionStorm(context, identityOf('x'), LANES, CONNECTIONS_PER_SECOND, random),
    churn.lanes,
    roaming(roamers, RECONNECTIONS_PER_SECOND, random),
  ]
  return {
    strands,
    activities,
    open: async () => {
      for (const { traffic } of strands) await traffic.open()
      await churn.open()
    },
    start: () => {
      for (const { traffic } of strands) traffic.start()
      for (const lanes of activities) lanes.start()
    },
    stop: async () => {
      await Promise.all(activities.map((lanes) => lanes.stop()))
      await Promise.all(strands.map(({ traffic }) => traffic.stop()))
    },
    close: async () => {
      churn.close()
      await Promise.all(strands.map(({ traffic }) => traffic.close()))
    },
    abandon: async () => {
      await Promise.all(activities.map((lanes) => lanes.stop()))
      churn.close()
      for (const { traffic } of strands) traffic.abandon()
    },
  }
}

function makeStrand(recipe: Recipe, options: MixOptions, context: ClientContext): Strand {
  const { name, qos, payloadBytes, retain = false, isRoaming = false, slow = 0 } = recipe
  const { version, userName, password } = options
  const prefix = `${options.prefix}-${name}`
  const ratePerSecond = options.ratePerSecond * recipe.share
  const common = { prefix, qos, retain, payloadBytes, window: WINDOW, ratePerSecond, version, isPersistent: isRoaming }
  const traffic = new Traffic(pairsPlan(prefix, slow), common, context, { userName, password })
  return { name, qos, traffic, isRoaming }
}

function pairsPlan(prefix: string, slow: number): Plan {
  const scenario = SCENARIOS.find(({ name }) => name === 'slow-consumers') ?? SCENARIOS[0]
  return planOf(scenario, { ...FIGURES, publishers: PAIRS, subscribers: PAIRS, connections: slow }, prefix, 0)
}
