/** What came out of a batch takes effect: messages go out, values are kept, the main thread is told. */
import { DEPTH_SHIFT, type EnvironmentChange, GOVERNED, ONLY_RETAIN, QOS_BITS, RETAIN } from '../contracts/lot.js'
import {
  BY_PUBLISH_MODEL,
  EFFECT_DEPTH,
  EFFECT_FLAGS,
  EFFECT_HEADER_BYTES,
  EFFECT_KIND,
  EFFECT_PAYLOAD_BYTES,
  EFFECT_TOPIC_BYTES,
  EFFECT_TOPIC_HASH,
  EffectKind,
  type RunnerResult,
} from '../contracts/lot-batch.js'
import type { Effect } from '../lot/program.js'
import type { Entity } from './entity.js'
import type { HostState } from './host-state.js'
import type { Intake } from './intake.js'

const MESSAGE_FLAGS = QOS_BITS | RETAIN

export class Outcome {
  constructor(
    readonly state: HostState,
    readonly intake: Intake,
  ) {}

  /** Applies effects in order. */
  apply(entity: Entity, { effects, effectsBytes }: RunnerResult): void {
    const ints = new Int32Array(effects)
    const bytes = new Uint8Array(effects)
    const shard = this.state.shardOf(entity.ref)
    const changes: EnvironmentChange[] = []
    /** Records and events by route. */
    const unsent = new Map<string, number>()
    let tooDeep = 0
    for (let at = 0; at < effectsBytes; at += ints[at >> 2]) {
      const i = at >> 2
      const flags = ints[i + EFFECT_FLAGS]
      const topicBytes = ints[i + EFFECT_TOPIC_BYTES]
      const payloadBytes = ints[i + EFFECT_PAYLOAD_BYTES]
      const topicAt = at + EFFECT_HEADER_BYTES
      const payloadAt = topicAt + topicBytes
      const hash = ints[i + EFFECT_TOPIC_HASH]
      switch (ints[i + EFFECT_KIND]) {
        case EffectKind.PUBLISH: {
          const { rules, lot } = this.state.config
          const isGoverned = (flags & BY_PUBLISH_MODEL) !== 0 && rules.governModelPublishes
          const depth = ints[i + EFFECT_DEPTH] + 1
          const message = flags & MESSAGE_FLAGS
          const sent = isGoverned ? message | GOVERNED | (depth << DEPTH_SHIFT) : message
          this.state.shards.publish(shard, sent, bytes, ints, topicAt, topicBytes, payloadBytes)
          const topic = this.state.topics.find(bytes, topicAt, topicBytes, hash)
          if (topic.destinations.length === 0 && !topic.isRead && topic.use === undefined) break
          const triggers = depth < lot.chainDepthMax
          if (!triggers && topic.destinations.length > 0) tooDeep++
          // it comes back from the shard if rules allow it
          if (!isGoverned) this.intake.own(topic, hash, triggers ? depth : undefined, bytes, payloadAt, payloadBytes)
          break
        }
        case EffectKind.KEEP:
          this.state.values.set(bytes, topicAt, topicBytes, hash, bytes, undefined, payloadAt, payloadBytes)
          this.#expose(shard, bytes, ints, topicAt, topicBytes, payloadBytes)
          break
        case EffectKind.CLEAR:
          this.state.values.delete(bytes, topicAt, topicBytes, hash)
          this.#expose(shard, bytes, ints, topicAt, topicBytes, 0)
          break
        default: {
          const text = Buffer.from(effects, topicAt, topicBytes).toString()
          this.#other(JSON.parse(text) as Effect, changes, unsent)
        }
      }
    }
    if (changes.length > 0) this.state.tell({ kind: 'environment', changes })
    if (tooDeep > 0) this.#reportChain(entity, tooDeep)
    for (const [route, count] of unsent) this.#reportUnsent(entity, route, count)
  }

  setEnvironment(changes: readonly EnvironmentChange[]): void {
    for (const { secret, name, value } of changes) this.state.book.set(`${secret ? 'secret' : 'env'} ${name}`, value)
  }

  /** A last value from elsewhere; what is known already is newer. */
  fill(topic: string, payload: Uint8Array): void {
    if (this.state.values.get(topic) === undefined) this.state.values.put(topic, payload)
  }

  #expose(
    shard: number,
    bytes: Uint8Array,
    ints: Int32Array,
    at: number,
    topicBytes: number,
    payloadBytes: number,
  ): void {
    if (!this.state.config.keep.exposeAsRetained) return
    this.state.shards.publish(shard, RETAIN | ONLY_RETAIN, bytes, ints, at, topicBytes, payloadBytes)
  }

  #other(effect: Effect, changes: EnvironmentChange[], unsent: Map<string, number>): void {
    switch (effect.kind) {
      case 'environment': {
        const change = { secret: effect.secret, name: effect.name, value: effect.value }
        this.setEnvironment([change])
        changes.push(change)
        return
      }
      case 'store':
      case 'routeEvent':
        unsent.set(effect.route, (unsent.get(effect.route) ?? 0) + 1)
    }
  }

  /** STORE IN and TRIGGER: the run did its part, and what it gave a route is lost. */
  #reportUnsent(entity: Entity, route: string, count: number): void {
    const message = `route "${route}" is not running: what it was given is lost`
    this.state.fail(entity, message, count)
  }

  #reportChain(entity: Entity, count: number): void {
    const { chainDepthMax } = this.state.config.lot
    const message = `stopped after ${chainDepthMax} runs of which each one triggered the next`
    this.state.fail(entity, message, count)
  }
}
