/** What rules together do that their author hardly meant. Reads the rules as they are written; no rule is asked. */
import type { RuleCondition, RuleNode } from '../../lot/tree.js'
import { isSystemScope } from './scope-rules.js'
import { filterCovers } from './token-grants.js'

export interface ReviewNote {
  /** The rule that it is about; undefined where it is about all together. */
  readonly rule: RuleNode | undefined
  /** Without a full stop. */
  readonly message: string
}

/** What nobody but root can do where no rule allows it. */
const NEEDED: Readonly<Record<string, string>> = { Connect: 'connect', Publish: 'publish', Subscribe: 'subscribe' }

/** @param rules those that are looked at @param others those that are in force besides, such as the broker's own */
export function reviewRules(rules: readonly RuleNode[], others: readonly RuleNode[]): readonly ReviewNote[] {
  const all = [...rules, ...others]
  return [
    ...rules.flatMap((rule) => [
      ...noteOf(rule, hiddenText(rule, all)),
      ...noteOf(rule, lockoutText(rule, all)),
      ...noteOf(rule, anonymousText(rule)),
    ]),
    ...rules.flatMap((rule, index) =>
      [...rules.slice(index + 1), ...others].flatMap((other) => noteOf(rule, tieText(rule, other))),
    ),
    ...closedTexts(all).map((message) => ({ rule: undefined, message })),
  ]
}

/** What only root can do with these rules. */
export function reviewLockouts(rules: readonly RuleNode[]): readonly string[] {
  return [...rules.flatMap((rule) => lockoutText(rule, rules) ?? []), ...closedTexts(rules)]
}

function closedTexts(rules: readonly RuleNode[]): readonly string[] {
  return Object.entries(NEEDED)
    .filter(([scope]) => !rules.some((rule) => rule.scope.text === scope && mayCome(rule, 'ALLOW')))
    .map(([scope, verb]) => `No rule for ${scope} allows anything: only root can ${verb}`)
}

function noteOf(rule: RuleNode, message: string | undefined): readonly ReviewNote[] {
  return message === undefined ? [] : [{ rule, message }]
}

/** Another one always decides before. */
function hiddenText(rule: RuleNode, all: readonly RuleNode[]): string | undefined {
  const before = all.find((other) => {
    if (other === rule || !alwaysDecides(other) || !covers(other, rule)) return false
    if (other.priority !== rule.priority) return other.priority < rule.priority
    return alwaysDenies(other) && !mayCome(rule, 'DENY')
  })
  if (before === undefined) return undefined
  return `${rule.name.text} never decides anything: ${before.name.text} (priority ${before.priority}) always decides before`
}

/** Denies all of a scope before any rule can have allowed it. */
function lockoutText(rule: RuleNode, all: readonly RuleNode[]): string | undefined {
  const { scope, priority, topic } = rule
  const verb = NEEDED[scope.text]
  if (verb === undefined || !alwaysDenies(rule) || !isEverything(topic?.value)) return undefined
  const allowsBefore = (other: RuleNode): boolean =>
    other.scope.text === scope.text && other.priority < priority && mayCome(other, 'ALLOW')
  return all.some(allowsBefore) ? undefined : `${rule.name.text} locks out everybody but root: nobody else can ${verb}`
}

/** Both apply to some topic at the same priority, and do not agree. */
function tieText(rule: RuleNode, other: RuleNode): string | undefined {
  if (rule.priority !== other.priority || rule.scope.text !== other.scope.text || !overlap(rule, other))
    return undefined
  const differ =
    (mayCome(rule, 'ALLOW') && mayCome(other, 'DENY')) || (mayCome(rule, 'DENY') && mayCome(other, 'ALLOW'))
  if (!differ) return undefined
  return `${rule.name.text} and ${other.name.text} have the same priority ${rule.priority}: where both apply, DENY wins`
}

/** `IS NOT` sounds as if it held for clients without a user. */
function anonymousText({ name, body }: RuleNode): string | undefined {
  if (body.kind === 'always' || !hasUserIsNot(body.condition)) return undefined
  return `USER IS NOT in ${name.text} is false for anonymous clients; NOT USER IS is true for them`
}

function hasUserIsNot(condition: RuleCondition): boolean {
  switch (condition.kind) {
    case 'userIs':
      return condition.negated
    case 'ruleNot':
      return hasUserIsNot(condition.operand)
    case 'ruleGroup':
      return hasUserIsNot(condition.inner)
    case 'ruleLogic':
      return hasUserIsNot(condition.left) || hasUserIsNot(condition.right)
    default:
      return false
  }
}

// ---------- what a rule can come to ----------

function mayCome({ body }: RuleNode, verdict: 'ALLOW' | 'DENY'): boolean {
  return body.verdict === verdict || (body.kind === 'when' && body.otherwise === verdict)
}

function alwaysDecides({ body }: RuleNode): boolean {
  return body.kind === 'always' || body.otherwise !== undefined
}

function alwaysDenies(rule: RuleNode): boolean {
  return alwaysDecides(rule) && !mayCome(rule, 'ALLOW')
}

// ---------- topics ----------

function covers(one: RuleNode, other: RuleNode): boolean {
  if (one.scope.text !== other.scope.text) return false
  if (one.topic === undefined || other.topic === undefined) return true
  return filterCovers(patternOf(one), patternOf(other))
}

/** In scopes of `$SYS` a wildcard at the beginning stands for it, too. */
function patternOf({ scope, topic }: RuleNode): string {
  const pattern = topic?.value ?? '#'
  return isSystemScope(scope.text) ? pattern.replace(/^\$/, '') : pattern
}

function overlap(one: RuleNode, other: RuleNode): boolean {
  if (one.topic === undefined || other.topic === undefined) return true
  const levels = patternOf(one).split('/')
  const others = patternOf(other).split('/')
  for (let index = 0; ; index++) {
    const level = levels[index]
    const otherLevel = others[index]
    if (level === '#' || otherLevel === '#') return true
    if (level === undefined || otherLevel === undefined) return level === otherLevel
    if (level !== '+' && otherLevel !== '+' && level !== otherLevel) return false
  }
}

function isEverything(topic: string | undefined): boolean {
  return topic === undefined || topic === '#' || topic === '+/#'
}
