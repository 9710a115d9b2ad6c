/**
 * Who may do what, as a shard asks it. Rules are evaluated by a policy, which the worker hands in; what it said is
 * remembered by session and topic, and forgotten when a rule, user or retained message that it depended on changes.
 */
import type {
  AccessChange,
  AccessExplanation,
  AccessQuestion,
  Decision,
  Identity,
  PolicyChange,
  RuleScope,
  RuleWorld,
} from '../contracts/security.js'
import type { RetainedStore } from '../contracts/storage.js'
import type { Message } from './message.js'
import type { Session } from './session.js'
import { type Remembered, type SessionAccess, TOPIC_LENGTH_MAX } from './session-access.js'

export interface AccessPolicy {
  decide(question: AccessQuestion, world: RuleWorld): Decision
  /** True if every topic that does not begin with `$` is allowed, whatever else happens. */
  isOpen(identity: Identity, scope: 'Publish' | 'Subscribe'): boolean
  explain(question: AccessQuestion, world: RuleWorld): AccessExplanation
  /** @throws BrokerError for a rule that cannot be read: nothing has changed then */
  change(change: AccessChange): PolicyChange
}

/** Changes that a session can make up for one by one; one that has missed more forgets all its decisions. */
const CHANGES_MAX = 64

const PUBLISHING = 1
const RECEIVING = 2

export class Access {
  /** Goes up with each change of rules and users. */
  epoch = 0
  /** Changes with the epochs they made, the latest last. */
  readonly #changes: PolicyChange[] = []
  /** Sessions with decisions that depend on a topic, and which: a sum of PUBLISHING and RECEIVING. */
  readonly #dependents = new Map<string, Map<Session, number>>()
  /** For decisions that are remembered: its version changes with every topic that one of them depends on. */
  readonly #watched: RuleWorld & { version: number }
  /** For others. */
  readonly #world: RuleWorld
  #isReady = false

  /** @param onReceivers the session may get other topics than before */
  constructor(
    readonly policy: AccessPolicy,
    retained: RetainedStore<Message>,
    now: () => number,
    readonly onReceivers: (session: Session) => void,
  ) {
    const find = (topic: string): Message | undefined => {
      const message = retained.find(topic)
      return message !== undefined && message.expiresAtMs > now() ? message : undefined
    }
    this.#world = {
      // a value of KEEP TOPIC may be read, but nobody has published it as retained
      hasRetained: (topic) => find(topic)?.isKeepValue === false,
      value: (topic) => find(topic)?.payloadText,
    }
    this.#watched = { ...this.#world, version: 0 }
    retained.onChange = (topic) => this.#retainedChanged(topic)
  }

  /** False until rules and users are known: nobody may do anything. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** @throws BrokerError for rules that cannot be read: those of before stay */
  change(change: AccessChange): PolicyChange {
    const changed = this.policy.change(change)
    this.epoch++
    this.#changes.push(change.isWhole ? { rules: changed.rules, users: 'all' } : changed)
    if (this.#changes.length > CHANGES_MAX) this.#changes.shift()
    if (change.isWhole) this.#isReady = true
    return changed
  }

  decide(question: AccessQuestion): Decision {
    return this.#isReady ? this.policy.decide(question, this.#world) : NOT_READY
  }

  /** As `decide`, with all rules that were looked at. */
  explain(question: AccessQuestion): AccessExplanation {
    if (!this.#isReady) return { decision: NOT_READY, considered: [] }
    return this.policy.explain(question, this.#world)
  }

  /** Whether the session may publish to the topic. */
  publish(session: Session, topic: string): Decision {
    const access = this.of(session)
    const known = access.publishing.get(topic)
    if (known !== undefined) return known
    const scope = isSystemTopic(topic) ? 'PublishSys' : 'Publish'
    return this.#remember(session, access.publishing, PUBLISHING, scope, topic)
  }

  /** Whether the session may get messages with the topic. */
  receive(session: Session, topic: string): Decision {
    const access = this.of(session)
    const known = access.receiving.get(topic)
    if (known !== undefined) return known
    const scope = isSystemTopic(topic) ? 'SubscribeSys' : 'Subscribe'
    return this.#remember(session, access.receiving, RECEIVING, scope, topic)
  }

  /** @param filter without `$share/…/` */
  subscribe(session: Session, filter: string): Decision {
    const scope = isSystemTopic(filter) ? 'SubscribeSys' : 'Subscribe'
    return this.decide({ identity: session.identity, scope, topic: filter })
  }

  /** Topics that decisions depend on. */
  get watchedTopics(): number {
    return this.#dependents.size
  }

  /** What is remembered of the session, and holds at this moment. */
  of(session: Session): SessionAccess {
    const { access } = session
    if (access.epoch !== this.epoch) this.#catchUp(session)
    return access
  }

  /** Another identity, or none any more. */
  forget(session: Session): void {
    const { publishing, receiving, reads } = session.access
    publishing.forget()
    receiving.forget()
    // nobody watches any more over what was read for it
    if (!reads.isEmpty) this.#watched.version++
    for (const topic of reads.takeAll()) {
      const sessions = this.#dependents.get(topic)
      if (sessions?.delete(session) && sessions.size === 0) this.#dependents.delete(topic)
    }
    session.access.epoch = -1
    session.allowedEntry = undefined
  }

  #remember(session: Session, remembered: Remembered, direction: number, scope: RuleScope, topic: string): Decision {
    if (!this.#isReady) return NOT_READY
    const question = { identity: session.identity, scope, topic }
    // who asks about long topics asks for each message, so nobody need hear of changes
    if (topic.length > TOPIC_LENGTH_MAX) return this.policy.decide(question, this.#world)
    const decision = this.policy.decide(question, this.#watched)
    remembered.add(topic, decision)
    if (decision.reads.length > 0 && decision.reads !== remembered.noted) {
      remembered.noted = decision.reads
      this.#watch(session, direction, decision.reads)
      if (session.access.reads.isFull) this.#startAnew(session)
    }
    return decision
  }

  #watch(session: Session, direction: number, reads: readonly string[]): void {
    for (const read of reads) {
      let sessions = this.#dependents.get(read)
      if (sessions === undefined) {
        sessions = new Map()
        this.#dependents.set(read, sessions)
      }
      sessions.set(session, (sessions.get(session) ?? 0) | direction)
      session.access.reads.add(read)
    }
  }

  /** Lists of receivers still build on what is forgotten, and nobody would hear any more that it has changed. */
  #startAnew(session: Session): void {
    this.forget(session)
    this.onReceivers(session)
  }

  /** Forgets what the changes since the session was last asked about have made doubtful, and nothing else. */
  #catchUp(session: Session): void {
    const { access, identity } = session
    const missed = this.epoch - access.epoch
    const isLost = access.epoch >= 0 && missed > this.#changes.length
    if (isLost || access.epoch < 0) this.forget(session)
    else for (const change of this.#changes.slice(this.#changes.length - missed)) drop(session, change)
    session.allowedEntry = undefined
    access.publishesFreely = this.#isReady && this.policy.isOpen(identity, 'Publish')
    access.receivesFreely = this.#isReady && this.policy.isOpen(identity, 'Subscribe')
    access.epoch = this.epoch
    // as in `#startAnew`
    if (isLost) this.onReceivers(session)
  }

  #retainedChanged(topic: string): void {
    const sessions = this.#dependents.get(topic)
    if (sessions === undefined) return
    this.#dependents.delete(topic)
    this.#watched.version++
    for (const [session, directions] of sessions) {
      session.allowedEntry = undefined
      session.access.reads.delete(topic)
      if (directions & PUBLISHING) session.access.publishing.dropReading(topic)
      if ((directions & RECEIVING) === 0) continue
      session.access.receiving.dropReading(topic)
      this.onReceivers(session)
    }
  }
}

const NOT_READY: Decision = {
  allowed: false,
  rule: undefined,
  reason: 'the broker has not read its rules yet',
  reads: [],
}

export function isSystemTopic(topic: string): boolean {
  return topic === '$SYS' || topic.startsWith('$SYS/')
}

/** Whether the change may have changed what a session may receive or subscribe to. */
export function concernsReceiving({ rules, users }: PolicyChange): boolean {
  return users === 'all' || users.size > 0 || rules.some(({ scope }) => scope.startsWith('Subscribe'))
}

function drop({ access, identity }: Session, { rules, users }: PolicyChange): void {
  if (users === 'all' || (identity.userName !== undefined && users.has(identity.userName))) {
    access.publishing.forget()
    access.receiving.forget()
    return
  }
  for (const { scope, topic } of rules) {
    if (scope === 'Publish' || scope === 'PublishSys') access.publishing.dropMatching(topic)
    if (scope === 'Subscribe' || scope === 'SubscribeSys') access.receiving.dropMatching(topic)
  }
}
