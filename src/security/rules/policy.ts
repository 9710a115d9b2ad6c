/** Who may do what: rules and users in, decisions out. Performs no I/O, and remembers no decision. */
import { messageOf } from '../../base/errors.js'
import type {
  AccessChange,
  AccessExplanation,
  AccessQuestion,
  Decision,
  Identity,
  RuleScope,
} from '../../contracts/security.js'
import { Asked, NO_WORLD } from './asked.js'
import { Profiles } from './profiles.js'
import { outcomeOf, type Rule, readRule } from './rule.js'
import { effectiveTopic, isSystemScope, matchesAll, ScopeRules } from './scope-rules.js'
import { leavesToRules } from './token-grants.js'

/** What rules may ask of the broker. Topics are looked up as they are, never as filters. */
export interface RuleWorld {
  hasRetained(topic: string): boolean
  /** Text of the retained message; undefined if there is none. */
  value(topic: string): string | undefined
}

/** What a change may have made wrong of decisions from before. */
export interface PolicyChange {
  /** Scopes and topic filters of rules that came, went or differ; `topic` is undefined for all topics of a scope. */
  readonly rules: readonly { readonly scope: RuleScope; readonly topic: string | undefined }[]
  /** Those that rules see differently. */
  readonly users: ReadonlySet<string>
}

export interface PolicyOptions {
  /** A `+` at the end of a rule's topic also stands for several levels. */
  readonly trailingPlusMatchesDeeper: boolean
}

const ROOT = 'root'
const NO_READS: readonly string[] = []

function withoutRule(allowed: boolean, reason: string): Decision {
  return { allowed, rule: undefined, reason, reads: NO_READS }
}

const ROOT_PASSES = withoutRule(true, 'root passes all rules')
const NOT_IN_TOKEN = withoutRule(false, 'the token does not name this topic')
const NO_SHELL = withoutRule(false, 'this broker runs no shell commands')
const NO_RULE = withoutRule(false, 'no rule allows it')

export class Policy {
  readonly #options: PolicyOptions
  readonly #profiles = new Profiles()
  readonly #asked = new Asked()
  /** By their texts. */
  #rules: ReadonlyMap<string, Rule> = new Map()
  #scopes: ReadonlyMap<RuleScope, ScopeRules> = new Map()

  constructor(options: PolicyOptions) {
    this.#options = options
  }

  decide(question: AccessQuestion, world: RuleWorld): Decision {
    const early = beforeRules(question)
    if (early !== undefined) return early
    const scope = this.#scopes.get(question.scope)
    if (scope === undefined) return NO_RULE
    const asked = this.#asked
    asked.begin(question, this.#profiles.find(question.identity.userName), world)
    scope.match(question.topic)
    const decision = judge(scope, asked)
    return asked.reads.length === 0 ? decision : { ...decision, reads: asked.reads }
  }

  /**
   * True if every topic that does not begin with `$` is allowed, whatever else happens: no need to ask for each. False
   * says nothing.
   */
  isOpen(identity: Identity, scope: 'Publish' | 'Subscribe'): boolean {
    const named = scope === 'Publish' ? identity.claims?.publish : identity.claims?.subscribe
    if (named !== undefined) return false
    if (identity.userName === ROOT) return true
    this.#asked.begin({ identity, scope, topic: undefined }, this.#profiles.find(identity.userName), NO_WORLD)
    return isOpenTo(this.#scopes.get(scope)?.rules ?? [], this.#asked, this.#options)
  }

  /** For people. */
  explain(question: AccessQuestion, world: RuleWorld): AccessExplanation {
    const decision = this.decide(question, world)
    const scope = this.#scopes.get(question.scope)
    if (scope === undefined || beforeRules(question) !== undefined) return { decision, considered: [] }
    const decisive = scope.rules.find(({ name }) => name === decision.rule)
    const considered = scope.rules.filter(({ priority }) => priority <= (decisive?.priority ?? Infinity))
    return {
      decision,
      considered: considered.map((rule, place) => ({
        rule: rule.name,
        priority: rule.priority,
        outcome: scope.next(place) === place ? outcomeText(rule, this.#asked) : 'other topic',
      })),
    }
  }

  /** @throws BrokerError RULE_UNREADABLE: nothing has changed then */
  change(change: AccessChange): PolicyChange {
    const rules = change.rules === undefined ? [] : this.#setRules(change.rules)
    return { rules, users: this.#profiles.change(change) }
  }

  #setRules(texts: readonly string[]): PolicyChange['rules'] {
    const before = this.#rules
    const after = new Map(texts.map((text) => [text, before.get(text) ?? readRule(text)]))
    const changed = [
      ...[...before].filter(([text]) => !after.has(text)),
      ...[...after].filter(([text]) => !before.has(text)),
    ].map(([, rule]) => rule)
    const { trailingPlusMatchesDeeper } = this.#options
    const scopes = new Map(this.#scopes)
    for (const scope of new Set(changed.map((rule) => rule.scope))) {
      const own = [...after.values()].filter((rule) => rule.scope === scope)
      scopes.set(scope, new ScopeRules(own, isSystemScope(scope), trailingPlusMatchesDeeper))
    }
    this.#rules = after
    this.#scopes = scopes
    return changed.map(({ scope, topic }) => ({ scope, topic: this.#concerned(scope, topic) }))
  }

  /** @returns a filter of MQTT for all topics that a rule concerns; undefined for all of the scope */
  #concerned(scope: RuleScope, topic: string | undefined): string | undefined {
    if (topic === undefined || (isSystemScope(scope) && /^[+#]/.test(topic))) return undefined
    return effectiveTopic(topic, this.#options.trailingPlusMatchesDeeper)
  }
}

/** What is decided without looking at any rule. */
function beforeRules(question: AccessQuestion): Decision | undefined {
  if (question.scope === 'ShellCommand') return NO_SHELL
  if (!leavesToRules(question)) return NOT_IN_TOKEN
  return question.identity.userName === ROOT ? ROOT_PASSES : undefined
}

/**
 * The lowest priority decides at which a rule that the question concerns does not abstain; among rules of that priority
 * one that denies.
 */
function judge(scope: ScopeRules, asked: Asked): Decision {
  const { rules } = scope
  let allowing: Rule | undefined
  for (let place = scope.next(0); place >= 0; place = scope.next(place + 1)) {
    const rule = rules[place]
    if (allowing !== undefined && rule.priority !== allowing.priority) break
    try {
      const outcome = outcomeOf(rule, asked)
      if (outcome === 'DENY') return rule.denied
      if (outcome === 'ALLOW') allowing ??= rule
    } catch (error) {
      return { ...rule.denied, reason: `rule ${rule.name} cannot be evaluated: ${messageOf(error)}` }
    }
  }
  return allowing === undefined ? NO_RULE : allowing.allowed
}

function isOpenTo(rules: readonly Rule[], asked: Asked, options: PolicyOptions): boolean {
  let openPriority: number | undefined
  for (const rule of rules) {
    if (openPriority !== undefined && rule.priority !== openPriority) return true
    const { condition, verdict, otherwise, topic = '' } = rule
    let truth: boolean | undefined
    try {
      truth = condition === undefined ? true : condition.known(asked)
    } catch {
      return false // it denies
    }
    const mayDeny = (truth !== false && verdict === 'DENY') || (truth !== true && otherwise === 'DENY')
    if (mayDeny) return false
    const allows = (truth === false || verdict === 'ALLOW') && (truth === true || otherwise === 'ALLOW')
    if (allows && matchesAll(effectiveTopic(topic, options.trailingPlusMatchesDeeper))) openPriority = rule.priority
  }
  return openPriority !== undefined
}

function outcomeText(rule: Rule, asked: Asked): 'allow' | 'deny' | 'abstain' {
  try {
    const outcome = outcomeOf(rule, asked)
    return outcome === 'ALLOW' ? 'allow' : outcome === 'DENY' ? 'deny' : 'abstain'
  } catch {
    return 'deny'
  }
}
