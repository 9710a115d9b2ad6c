/** A rule, ready to be asked. */
import { BrokerError } from '../../base/errors.js'
import type { Decision, RuleScope } from '../../contracts/security.js'
import { checkRule } from '../../lot/check/check-rule.js'
import { LotCompileError } from '../../lot/program.js'
import { Source } from '../../lot/source.js'
import { parseProgram } from '../../lot/syntax/parse.js'
import { Report } from '../../lot/syntax/report.js'
import type { RuleNode, Verdict } from '../../lot/tree.js'
import type { Asked } from './asked.js'
import { type Condition, compileCondition } from './condition.js'

export type Outcome = Verdict | 'ABSTAIN'

export interface Rule {
  readonly name: string
  /** Lower numbers are asked first. */
  readonly priority: number
  readonly scope: RuleScope
  /** As written; undefined where the scope has none. */
  readonly topic: string | undefined
  /** undefined for one that always comes to `verdict`. */
  readonly condition: Condition | undefined
  readonly verdict: Verdict
  /** Where the condition is false. */
  readonly otherwise: Outcome
  /** What to answer when it has decided so. */
  readonly allowed: Decision
  readonly denied: Decision
}

/** @throws BrokerError RULE_UNREADABLE: a rule that is lost might have denied something */
export function readRule(text: string): Rule {
  const source = new Source('rule', text)
  // accepted before, in whatever mode
  const { program, diagnostics } = parseProgram(source, { compat: 'v1' })
  const [node] = program.entities
  if (node?.kind !== 'rule' || program.entities.length > 1) throw unreadable(text, 'it is not one rule')
  const report = new Report()
  checkRule(node, { compat: 'v1' }, report)
  const error = [...diagnostics, ...report.sorted()].find(({ severity }) => severity === 'error')
  if (error !== undefined) {
    throw unreadable(text, `line ${source.positionOf(error.span.start).line}: ${error.message}`)
  }
  try {
    return compileRule(node, source)
  } catch (thrown) {
    if (thrown instanceof LotCompileError) throw unreadable(text, thrown.message, thrown)
    throw thrown
  }
}

function compileRule({ name, priority, scope, topic, body }: RuleNode, source: Source): Rule {
  return {
    name: name.text,
    priority,
    // the checker knows all scopes; those of version 1 are never asked
    scope: scope.text as RuleScope,
    topic: topic?.value,
    condition: body.kind === 'always' ? undefined : compileCondition(body.condition, source),
    verdict: body.verdict,
    otherwise: body.kind === 'always' ? 'ABSTAIN' : (body.otherwise ?? 'ABSTAIN'),
    allowed: decided(true, name.text),
    denied: decided(false, name.text),
  }
}

function decided(allowed: boolean, rule: string): Decision {
  return { allowed, rule, reason: `rule ${rule}`, reads: [] }
}

/** @throws Error where its condition can not be evaluated: such a rule denies */
export function outcomeOf({ condition, verdict, otherwise }: Rule, asked: Asked): Outcome {
  return condition === undefined || condition.test(asked) ? verdict : otherwise
}

const NAME = /\bRULE\s+"?([\w.-]{1,100})/

function unreadable(text: string, reason: string, cause?: unknown): BrokerError {
  return new BrokerError('RULE_UNREADABLE', { rule: NAME.exec(text)?.[1] ?? 'without a name', reason }, { cause })
}
