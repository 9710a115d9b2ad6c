/** For tests: rules, questions and a world in few words. */
import type {
  AccessQuestion,
  Identity,
  RuleScope,
  RuleWorld,
  TokenClaims,
  UserProfile,
} from '../../contracts/security.js'
import { Policy } from './policy.js'

export function policyOf(
  rules: readonly string[],
  users: readonly UserProfile[] = [],
  trailingPlusMatchesDeeper = false,
): Policy {
  const policy = new Policy({ trailingPlusMatchesDeeper })
  policy.change({ rules, users, removedUsers: [], isWhole: true })
  return policy
}

/** @param header what stands between the name and the body @param body on lines of its own, not indented */
export function rule(name: string, header: string, body: string): string {
  return `DEFINE RULE ${name} WITH ${header}\n${body.replace(/^/gm, '    ')}`
}

export function identity(userName: string | undefined, clientId = 'c1', claims?: TokenClaims): Identity {
  return { userName, clientId, address: '192.0.2.7', port: 49_152, claims }
}

export function question(scope: RuleScope, topic: string | undefined, who = identity(undefined)): AccessQuestion {
  return { identity: who, scope, topic }
}

/** @param retained texts by topic */
export function worldOf(retained: Readonly<Record<string, string>> = {}): RuleWorld & { readonly asked: string[] } {
  const values = new Map(Object.entries(retained))
  const asked: string[] = []
  return {
    asked,
    hasRetained: (topic) => {
      asked.push(topic)
      return values.has(topic)
    },
    value: (topic) => {
      asked.push(topic)
      return values.get(topic)
    },
  }
}
