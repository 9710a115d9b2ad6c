/** The examples of docs/rules.md decide as the page says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../../base/version.js'
import { SEED_RULES } from '../../commands/built-in-rules.js'
import type { RuleScope, UserProfile } from '../../contracts/security.js'
import { dedentCommon, splitEntities } from '../../lot/syntax/split.js'
import { identity, policyOf, question, worldOf } from './rules.fixture.js'

const page = readFileSync(join(packageFolder(), 'docs', 'rules.md'), 'utf8')
const EXAMPLE = /^```lot rules\n([\s\S]*?)^```\n\n```text questions\n([\s\S]*?)^```$/gm
const SCOPES: Readonly<Record<string, RuleScope>> = { publish: 'Publish', subscribe: 'Subscribe' }

function match(pattern: RegExp, line: string): RegExpExecArray {
  const found = pattern.exec(line)
  if (found === null) throw new Error(`docs/rules.md: "${line}" has no meaning`)
  return found
}

const examples = [...page.matchAll(EXAMPLE)]
t.equal(examples.length, page.match(/^```lot/gm)?.length, 'every block of rules is an example')

for (const [, lot, questions] of examples) {
  const rules = splitEntities(dedentCommon(lot)).map(({ text }) => text)
  t.test(rules[0].split('\n', 1)[0], async (t) => {
    const users: UserProfile[] = []
    const retained: Record<string, string> = {}
    const seeds = SEED_RULES.map(([, text]) => text)
    for (const line of questions.trim().split('\n')) {
      if (line.startsWith('user ')) {
        const [, name, how, what] = match(/^user (\w+) (in|has) (\w+)$/, line)
        users.push({ name, groups: how === 'in' ? [what] : [], properties: how === 'has' ? { [what]: 'true' } : {} })
      } else if (line.startsWith('retained ')) {
        const [, topic, value = ''] = match(/^retained ([^=]+)(?:=(.*))?$/, line)
        retained[topic] = value
      } else {
        const [, user, client, verb, topic, verdict, reason] = match(
          /^([\w-]+)(?:\/(\w+))? (publish|subscribe) (\S+) -> (allowed|denied): (.+)$/,
          line,
        )
        const who = identity(user === '-' ? undefined : user, client)
        const policy = policyOf([...rules, ...seeds], users)
        const decision = policy.decide(question(SCOPES[verb], topic, who), worldOf(retained))
        t.match(decision, { allowed: verdict === 'allowed', reason }, line)
      }
    }
  })
}
