/** One question to the rules, as their conditions see it. One object for all questions, one after the other. */
import type { AccessQuestion, RuleWorld, TokenClaims } from '../../contracts/security.js'
import { Run } from '../../lot/compile/run.js'
import { topicLevel } from '../../lot/compile/topic-level.js'
import type { Occasion, World } from '../../lot/program.js'
import { encodeText } from '../../lot/values/text-bytes.js'
import type { Profile } from './profiles.js'

const NO_LIMITS = { loopIterationsMax: 0, callDepthMax: 0, loopMsMax: 0 }
const NO_TOPICS: readonly string[] = []

export class Asked {
  userName: string | undefined
  #profile: Profile | undefined
  #claims: TokenClaims | undefined
  #world: RuleWorld = NO_WORLD
  /** In the order of reading; a topic may come again. */
  readonly #reads: string[] = []
  /** The level that was asked for last; position -1 is none. */
  #position = -1
  #level = ''
  readonly #session = { CLIENTID: '', USER: '', ENDPOINT: '' }
  readonly #occasion = { topic: '', payload: undefined, captures: NO_TOPICS, session: this.#session } satisfies Occasion
  /** What expressions of LoT are evaluated with. */
  readonly run = new Run(this.#lotWorld(), this.#occasion, [], undefined, NO_LIMITS, [], 0, 0, undefined)

  begin({ identity, topic }: AccessQuestion, profile: Profile | undefined, world: RuleWorld): void {
    this.userName = identity.userName
    this.#profile = profile
    this.#claims = identity.claims
    this.#world = world
    this.#reads.length = 0
    this.#position = -1
    this.#session.CLIENTID = identity.clientId
    this.#session.USER = identity.userName ?? ''
    this.#session.ENDPOINT = identity.address
    this.#occasion.topic = topic ?? ''
  }

  get clientId(): string {
    return this.#session.CLIENTID
  }

  /** Without its port. */
  get address(): string {
    return this.#session.ENDPOINT
  }

  /** For texts: empty where there is none. */
  get user(): string {
    return this.#session.USER
  }

  /**
   * Empty for a wildcard of a subscription: a client that calls itself `+` is not meant by it.
   * @param position from 1
   */
  level(position: number): string {
    if (position !== this.#position) {
      const level = topicLevel(this.#occasion.topic, position)
      this.#level = level === '+' || level === '#' ? '' : level
      this.#position = position
    }
    return this.#level
  }

  has(property: string): boolean {
    return this.#profile?.flags.has(property) === true
  }

  isIn(group: string): boolean {
    return this.#profile?.groups.has(group) === true || this.#claims?.groups.includes(group) === true
  }

  hasRetained(topic: string): boolean {
    this.#reads.push(topic)
    return this.#world.hasRetained(topic)
  }

  value(topic: string): string | undefined {
    this.#reads.push(topic)
    return this.#world.value(topic)
  }

  get version(): number | undefined {
    return this.#world.version
  }

  /** How many topics were looked at since `begin`. */
  get readCount(): number {
    return this.#reads.length
  }

  /** @param count of before */
  readsSince(count: number): readonly string[] {
    return this.#reads.slice(count)
  }

  /** They are remembered elsewhere. @param count of before */
  forgetReadsSince(count: number): void {
    this.#reads.length = count
  }

  /** The checker lets rules have no expression that would ask for more than values of topics. */
  #lotWorld(): World {
    const never = (): never => {
      throw new Error('rules know neither time nor chance, and call nothing')
    }
    return {
      lastValue: (topic) => {
        const value = this.value(topic)
        return value === undefined ? undefined : encodeText(value)
      },
      now: never,
      random: never,
      uuid: never,
      environment: never,
      secret: never,
      model: never,
      action: never,
      call: never,
    }
  }
}

/** Where nothing is retained. */
export const NO_WORLD: RuleWorld = { hasRetained: () => false, value: () => undefined }
