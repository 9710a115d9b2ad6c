/** From the rules that a question concerns to a decision. */
import { messageOf } from '../../base/errors.js'
import type { AccessQuestion, Decision } from '../../contracts/security.js'
import type { Asked } from './asked.js'
import type { Condition } from './condition.js'
import { type Outcome, outcomeOf, type Rule } from './rule.js'
import type { ScopeRules } from './scope-rules.js'
import type { Silence } from './silence.js'

/** A question that concerns fewer rules is answered faster than it is found what is known for who asks. */
const MANY_RULES = 8

export const NO_RULE: Decision = { allowed: false, rule: undefined, reason: 'no rule allows it', reads: [] }

/**
 * The lowest priority decides at which a rule that the question concerns does not abstain; among rules of that priority
 * one that denies.
 */
export function judge(scope: ScopeRules, asked: Asked, { identity, topic }: AccessQuestion): Decision {
  scope.match(topic)
  const { rules, concerned, guards } = scope
  // who asks without a topic does so once
  const isMany = topic !== undefined && scope.concernedCount > MANY_RULES
  const silence = isMany ? scope.silenceFor(identity) : undefined
  silence?.begin(asked.version)
  let allowing: Rule | undefined
  let end = rules.length
  let place = 0
  try {
    for (let word = 0; word << 5 < end; word++) {
      let left = concerned[word]
      if (silence !== undefined) left &= ~silence.bits(word)
      while (left !== 0) {
        place = (word << 5) + 31 - Math.clz32(left & -left)
        if (place >= end) break
        left &= left - 1
        const guard = guards[place]
        if (guard !== undefined && !guard.test(asked)) {
          guard.places.clear(concerned)
          left &= concerned[word]
          continue
        }
        const rule = rules[place]
        const outcome = silence === undefined ? outcomeOf(rule, asked) : outcomeFor(rule, place, asked, silence)
        if (outcome === 'DENY') return withReads(rule.denied, asked, silence, place, concerned)
        if (outcome === 'ALLOW' && allowing === undefined) {
          allowing = rule
          end = scope.endOf(place)
        }
      }
    }
  } catch (error) {
    const { name, denied } = rules[place]
    const decision = { ...denied, reason: `rule ${name} cannot be evaluated: ${messageOf(error)}` }
    return withReads(decision, asked, silence, place, concerned)
  }
  return withReads(allowing?.allowed ?? NO_RULE, asked, silence, end, concerned)
}

/** As `outcomeOf`, and remembers where the rule abstains. */
function outcomeFor(rule: Rule, place: number, asked: Asked, silence: Silence): Outcome {
  const { condition, verdict, otherwise } = rule
  if (condition === undefined) return verdict
  if (silence.isNew(place)) {
    const truth = knownOf(condition, asked)
    if (truth !== undefined) {
      const outcome = truth ? verdict : otherwise
      if (outcome === 'ABSTAIN') silence.abstains(place)
      return outcome
    }
  }
  const read = asked.readCount
  const outcome = condition.test(asked) ? verdict : otherwise
  if (outcome === 'ABSTAIN' && !condition.dependsOnTopic && silence.abstainsForNow(place, asked.readsSince(read))) {
    asked.forgetReadsSince(read)
  }
  return outcome
}

/** What fails here may not fail when it is asked in order: then that counts. */
function knownOf(condition: Condition, asked: Asked): boolean | undefined {
  try {
    return condition.known(asked)
  } catch {
    return undefined
  }
}

/** @param end place after the last rule that the decision depends on */
function withReads(
  decision: Decision,
  asked: Asked,
  silence: Silence | undefined,
  end: number,
  concerned: Int32Array,
): Decision {
  const before = silence?.readBefore(end, concerned)
  if (asked.readCount > 0) {
    const reads = new Set(before)
    for (const topic of asked.readsSince(0)) reads.add(topic)
    return { ...decision, reads: [...reads] }
  }
  return silence === undefined || before === undefined || before.length === 0
    ? decision
    : silence.decisionWith(decision, before)
}
