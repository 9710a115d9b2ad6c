/** Who may do what: rules and users in, decisions out. Performs no I/O, and remembers no decision. */
import type {
  AccessChange,
  AccessExplanation,
  AccessQuestion,
  Decision,
  Identity,
  PolicyChange,
  RuleScope,
  RuleWorld,
} from '../../contracts/security.js'
import { ROOT } from '../user-name.js'
import { Asked, NO_WORLD } from './asked.js'
import { judge, NO_RULE } from './judge.js'
import { Profiles } from './profiles.js'
import { outcomeOf, type Rule, readRule } from './rule.js'
import { effectiveTopic, isSystemScope, matchesAll, ScopeRules } from './scope-rules.js'
import { leavesToRules } from './token-grants.js'

export interface PolicyOptions {
  /** A `+` at the end of a rule's topic also stands for several levels. */
  readonly trailingPlusMatchesDeeper: boolean
}

const NO_READS: readonly string[] = []

function withoutRule(allowed: boolean, reason: string): Decision {
  return { allowed, rule: undefined, reason, reads: NO_READS }
}

const ROOT_PASSES = withoutRule(true, 'root passes all rules')
const NOT_IN_TOKEN = withoutRule(false, 'the token does not name this topic')
const NO_SHELL = withoutRule(false, 'this broker runs no shell commands')

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
    return judge(scope, asked, question)
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
    const { userName } = question.identity
    const isUnknown = userName !== undefined && userName !== ROOT && this.#profiles.find(userName) === undefined
    const unknownUser = isUnknown ? userName : undefined
    if (scope === undefined || beforeRules(question) !== undefined) return { decision, unknownUser, considered: [] }
    scope.match(question.topic)
    const decisive = scope.rules.find(({ name }) => name === decision.rule)
    const considered = scope.rules.filter(({ priority }) => priority <= (decisive?.priority ?? Infinity))
    return {
      decision,
      unknownUser,
      considered: considered.map((rule, place) => ({
        rule: rule.name,
        priority: rule.priority,
        outcome: scope.isConcerned(place) ? outcomeText(rule, this.#asked) : 'other topic',
      })),
    }
  }

  /** @throws BrokerError RULE_UNREADABLE: nothing has changed then */
  change(change: AccessChange): PolicyChange {
    const rules = change.rules === undefined ? [] : this.#setRules(change.rules)
    const users = this.#profiles.change(change)
    if (users.size > 0) for (const scope of this.#scopes.values()) scope.forgetSilences()
    return { rules, users }
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
