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
  RuleScope,
} from '../contracts/security.js'
import type { RetainedStore } from '../contracts/storage.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import type { Message } from './message.js'
import type { Session } from './session.js'

/** What rules may ask of the broker. */
export interface RuleWorld {
  /** Values of KEEP TOPIC do not count. */
  hasRetained(topic: string): boolean
  /** Text of the retained message, or of what KEEP TOPIC keeps; undefined if there is none. */
  value(topic: string): string | undefined
}

export interface PolicyChange {
  /** Scopes and topic filters of rules that came, went or differ; `topic` is undefined for all topics of a scope. */
  readonly rules: readonly { readonly scope: RuleScope; readonly topic: string | undefined }[]
  readonly users: ReadonlySet<string> | 'all'
}

export interface AccessPolicy {
  decide(question: AccessQuestion, world: RuleWorld): Decision
  /** True if every topic that does not begin with `$` is allowed, whatever else happens. */
  isOpen(identity: Identity, scope: 'Publish' | 'Subscribe'): boolean
  explain(question: AccessQuestion, world: RuleWorld): AccessExplanation
  /** @throws BrokerError for a rule that cannot be read: nothing has changed then */
  change(change: AccessChange): PolicyChange
}

/** Decisions remembered of one session, for each direction; all are forgotten when there would be more. */
const DECISIONS_MAX = 1_024
/** Changes that a session can make up for one by one; one that has missed more forgets all its decisions. */
const CHANGES_MAX = 64

const PUBLISHING = 1
const RECEIVING = 2

/** What is remembered of one session. */
export class SessionAccess {
  /** Of `Access`, when the fields below were right. */
  epoch = -1
  /** No rule forbids any ordinary topic. */
  publishesFreely = false
  receivesFreely = false
  readonly publishing = new Map<string, Decision>()
  readonly receiving = new Map<string, Decision>()
  /** Topics under which `Access` has the session as a dependent. */
  readonly reads = new Set<string>()
}

export class Access {
  /** Goes up with each change of rules and users. */
  epoch = 0
  /** Changes with the epochs they made, the latest last. */
  readonly #changes: PolicyChange[] = []
  /** Sessions with decisions that depend on a topic, and which: a sum of PUBLISHING and RECEIVING. */
  readonly #dependents = new Map<string, Map<Session, number>>()
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

  /** What is remembered of the session, and holds at this moment. */
  of(session: Session): SessionAccess {
    const { access } = session
    if (access.epoch !== this.epoch) this.#catchUp(session)
    return access
  }

  /** Another identity, or none any more. */
  forget(session: Session): void {
    const { publishing, receiving, reads } = session.access
    publishing.clear()
    receiving.clear()
    for (const topic of reads) {
      const sessions = this.#dependents.get(topic)
      if (sessions?.delete(session) && sessions.size === 0) this.#dependents.delete(topic)
    }
    reads.clear()
    session.access.epoch = -1
    session.allowedEntry = undefined
  }

  #remember(
    session: Session,
    decisions: Map<string, Decision>,
    direction: number,
    scope: RuleScope,
    topic: string,
  ): Decision {
    const decision = this.decide({ identity: session.identity, scope, topic })
    if (!this.#isReady) return decision
    if (decisions.size >= DECISIONS_MAX) decisions.clear()
    decisions.set(topic, decision)
    for (const read of decision.reads) {
      let sessions = this.#dependents.get(read)
      if (sessions === undefined) {
        sessions = new Map()
        this.#dependents.set(read, sessions)
      }
      sessions.set(session, (sessions.get(session) ?? 0) | direction)
      session.access.reads.add(read)
    }
    return decision
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
    // lists of receivers still build on what was forgotten, and nobody would hear any more that it has changed
    if (isLost) this.onReceivers(session)
  }

  #retainedChanged(topic: string): void {
    const sessions = this.#dependents.get(topic)
    if (sessions === undefined) return
    this.#dependents.delete(topic)
    for (const [session, directions] of sessions) {
      session.allowedEntry = undefined
      session.access.reads.delete(topic)
      if (directions & PUBLISHING) dropReading(session.access.publishing, topic)
      if ((directions & RECEIVING) === 0) continue
      dropReading(session.access.receiving, topic)
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
    access.publishing.clear()
    access.receiving.clear()
    return
  }
  for (const { scope, topic } of rules) {
    if (scope === 'Publish' || scope === 'PublishSys') dropMatching(access.publishing, topic)
    if (scope === 'Subscribe' || scope === 'SubscribeSys') dropMatching(access.receiving, topic)
  }
}

function dropMatching(decisions: Map<string, Decision>, filter: string | undefined): void {
  for (const topic of decisions.keys()) {
    if (filter === undefined || filterMatches(filter, topic)) decisions.delete(topic)
  }
}

function dropReading(decisions: Map<string, Decision>, read: string): void {
  for (const [topic, { reads }] of decisions) if (reads.includes(read)) decisions.delete(topic)
}
