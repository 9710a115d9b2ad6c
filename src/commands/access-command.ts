/** `-checkAccess`: whether somebody may do something, and which rule says so. */
import type { AccessExplanation, AccessQuestion, RuleScope } from '../contracts/security.js'
import { RULE_SCOPES } from '../lot/check/check-rule.js'
import { filterProblem, parseSharedFilter } from '../mqtt/topic-filter.js'
import { isValidTopicName } from '../mqtt/topic-name.js'
import type { AnswerCommand } from './command.js'
import { failure, success } from './envelope.js'

export interface AccessService {
  /** What rules, users and retained messages say of it at this moment. */
  explain(question: AccessQuestion): Promise<AccessExplanation>
}

const USAGE = 'Expected JSON: -checkAccess {"user": "ann", "client": "c1", "operation": "publish", "topic": "line/1"}'

export const ACCESS_COMMANDS: readonly AnswerCommand[] = [
  {
    name: 'CheckAccess',
    scope: 'SystemConfiguration',
    async answer({ rest }, { access }) {
      const question = accessQuestion(jsonOf(rest))
      if (typeof question === 'string') return failure(question)
      if (access === undefined) return failure('Rules cannot be asked here')
      const explanation = await access.explain(question)
      const data = accessData(explanation)
      return success(accessText(explanation), { data, warnings: data.warnings })
    },
  },
]

export interface AccessData {
  readonly allowed: boolean
  readonly rule: string | null
  readonly reason: string
  readonly considered: AccessExplanation['considered']
  readonly warnings: readonly string[]
}

export function accessData({ decision, considered, unknownUser }: AccessExplanation): AccessData {
  const { allowed, rule, reason } = decision
  const warnings = unknownUser === undefined ? [] : [unknownText(unknownUser)]
  return { allowed, rule: rule ?? null, reason, considered, warnings }
}

function unknownText(user: string): string {
  return `There is no user ${JSON.stringify(user)}: asked as for a user of a token or a certificate, without groups and properties of its own`
}

export function accessText({ decision }: AccessExplanation): string {
  return `${decision.allowed ? 'Allowed' : 'Denied'}: ${decision.reason}.`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Scopes by words that are not their names. A topic below `$SYS` has scopes of its own. */
const OPERATIONS: ReadonlyMap<string, RuleScope> = new Map([
  ['connect', 'Connect'],
  ['command', 'CommandCall'],
  ['publish', 'Publish'],
  ['subscribe', 'Subscribe'],
])
const TEXTS = ['user', 'client', 'address', 'operation', 'topic'] as const
const DEFAULT_CLIENT = 'any-client'

/**
 * @param request `operation` is a word such as `publish`, or the name of a scope; without `user` an anonymous client
 * @returns what is wrong with it, in words, where it is no question
 */
export function accessQuestion(request: unknown): AccessQuestion | string {
  if (typeof request !== 'object' || request === null) return USAGE
  const given = request as Readonly<Record<string, unknown>>
  const { user, groups = [], operation } = given
  const other = TEXTS.find((name) => given[name] !== undefined && typeof given[name] !== 'string')
  if (other !== undefined) return `${other} must be a text`
  if (!Array.isArray(groups) || groups.some((group) => typeof group !== 'string'))
    return 'groups must be a list of texts'
  if (typeof operation !== 'string') return USAGE
  const scope = OPERATIONS.get(operation.toLowerCase()) ?? RULE_SCOPES.find((name) => sameWord(name, operation))
  if (scope === undefined) return `${operation} is neither publish, subscribe, connect or command, nor a scope of rules`
  const placed = withTopic(scope as RuleScope, given.topic as string | undefined)
  if (typeof placed === 'string') return placed
  return {
    ...placed,
    identity: {
      userName: user as string | undefined,
      clientId: (given.client as string | undefined) ?? DEFAULT_CLIENT,
      address: (given.address as string | undefined) ?? '127.0.0.1',
      port: 0,
      claims:
        groups.length === 0
          ? undefined
          : { groups: groups as string[], publish: undefined, subscribe: undefined, expiresAtMs: undefined },
    },
  }
}

function sameWord(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

type Placed = Pick<AccessQuestion, 'scope' | 'topic'>

/** @returns in words what is wrong with the topic */
function withTopic(scope: RuleScope, topic: string | undefined): Placed | string {
  if (scope.startsWith('Publish')) {
    if (topic === undefined) return 'publish needs a topic'
    return isValidTopicName(topic) ? { scope: forTopic('Publish', topic), topic } : `"${topic}" is not a topic`
  }
  if (scope.startsWith('Subscribe')) {
    if (topic === undefined) return 'subscribe needs a topic filter'
    const problem = filterProblem(topic)
    if (problem !== undefined) return `"${topic}" is not a topic filter: ${problem}`
    const filter = parseSharedFilter(topic)?.filter ?? topic
    return { scope: forTopic('Subscribe', filter), topic: filter }
  }
  return topic === undefined ? { scope, topic } : `${scope} is asked without a topic`
}

function forTopic(kind: 'Publish' | 'Subscribe', topic: string): RuleScope {
  return /^\$SYS(?:\/|$)/.test(topic) ? `${kind}Sys` : kind
}
