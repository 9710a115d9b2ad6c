/** For tests: rules as short functions, in place of LoT. */
import type {
  AccessChange,
  AccessExplanation,
  AccessQuestion,
  Decision,
  Identity,
  PolicyChange,
  RuleWorld,
} from '../contracts/security.js'
import type { AccessPolicy } from './access.js'

/** @returns false or a reason to deny; `reads` of what it asked the world for are noted by itself */
export type TestRule = (question: AccessQuestion, world: RuleWorld) => boolean

/** Allows all but what its rule denies. Counts how often it was asked. */
export class TestPolicy implements AccessPolicy {
  asked = 0
  #rule: TestRule | undefined
  #pending: PolicyChange = { rules: [], users: 'all' }

  constructor(rule?: TestRule) {
    this.#rule = rule
  }

  /** What the next change brings. */
  replace(rule: TestRule | undefined, change: PolicyChange = { rules: [], users: 'all' }): void {
    this.#rule = rule
    this.#pending = change
  }

  decide(question: AccessQuestion, world: RuleWorld): Decision {
    this.asked++
    const reads: string[] = []
    const noting: RuleWorld = {
      version: world.version,
      hasRetained: (topic) => {
        reads.push(topic)
        return world.hasRetained(topic)
      },
      value: (topic) => {
        reads.push(topic)
        return world.value(topic)
      },
    }
    const allowed = this.#rule?.(question, noting) ?? true
    return { allowed, rule: 'Test', reason: 'rule Test', reads }
  }

  isOpen(_identity: Identity): boolean {
    return this.#rule === undefined
  }

  explain(question: AccessQuestion, world: RuleWorld): AccessExplanation {
    return { decision: this.decide(question, world), considered: [] }
  }

  change(_change: AccessChange): PolicyChange {
    return this.#pending
  }
}

/** Makes an `Access` look at its policy again. */
export const NEW_RULES: AccessChange = { rules: [], users: [], removedUsers: [], isWhole: false }
/** As at the start. */
export const ALL_RULES: AccessChange = { rules: [], users: [], removedUsers: [], isWhole: true }
