import t from 'tap'
import { Source } from '../../lot/source.js'
import { parseProgram } from '../../lot/syntax/parse.js'
import type { RuleNode } from '../../lot/tree.js'
import { reviewRules } from './review.js'
import { rule } from './rules.fixture.js'

const SEEDS = ['Connect', 'Publish TO TOPIC "#"', 'Subscribe TO TOPIC "#"'].map((scope, index) =>
  rule(`Seed${index}`, `PRIORITY 1000000 FOR ${scope}`, 'ALLOW'),
)

function nodesOf(texts: readonly string[]): RuleNode[] {
  return parseProgram(new Source('test', texts.join('\n'))).program.entities as RuleNode[]
}

/** @returns what is said, without the rule that it is said of */
function notes(...texts: string[]): string[] {
  return reviewRules(nodesOf(texts), nodesOf(SEEDS)).map(({ message }) => message)
}

function publish(name: string, priority: number, topic: string, body: string): string {
  return rule(name, `PRIORITY ${priority} FOR Publish TO TOPIC "${topic}"`, body)
}

t.test('rules that never decide', async (t) => {
  const hidden = [/^B never decides anything: A \(priority 150\)/]
  t.match(notes(publish('A', 150, 'a/#', 'ALLOW'), publish('B', 160, 'a/+/x', 'DENY')), hidden)
  t.match(notes(publish('B', 160, 'a/b', 'DENY'), publish('A', 150, 'a/b', 'ALLOW')), hidden, 'in whatever order')
  const decided = 'IF USER IS "ann" THEN\n    ALLOW\nELSE\n    DENY'
  t.match(notes(publish('A', 150, 'a/#', decided), publish('B', 160, 'a/x', 'DENY')), hidden)
  t.same(notes(publish('A', 150, 'a/+', 'ALLOW'), publish('B', 160, 'a/#', 'DENY')), [])
  t.same(notes(publish('A', 150, 'a/#', 'IF USER IS "x" THEN\n    ALLOW'), publish('B', 160, 'a/x', 'DENY')), [])
  t.same(notes(publish('A', 150, 'a/#', 'ALLOW'), rule('B', 'PRIORITY 160 FOR Subscribe TO TOPIC "a/#"', 'DENY')), [])
  t.match(notes(publish('Late', 2_000_000, 'a', 'DENY')), [/^Late never decides anything: Seed1/])
  const sys = (name: string, priority: number, topic: string) =>
    rule(name, `PRIORITY ${priority} FOR SubscribeSys TO TOPIC "${topic}"`, 'ALLOW')
  t.match(notes(sys('A', 150, '#'), sys('B', 160, '$SYS/x')), hidden, 'wildcards stand for $SYS there')
})

t.test('equal priorities', async (t) => {
  const allow = publish('A', 150, 'a/+', 'IF USER IS "x" THEN\n    ALLOW')
  t.match(notes(allow, publish('B', 150, '+/b', 'IF USER IS "y" THEN\n    DENY')), [
    /^A and B have the same priority 150/,
  ])
  t.same(notes(allow, publish('B', 150, 'b/+', 'DENY')), [], 'no topic in common')
  t.same(notes(allow, publish('B', 150, 'a/b/c', 'DENY')), [])
  t.same(notes(allow, publish('B', 150, 'a/b', 'ALLOW')), [], 'they agree')
  t.same(notes(allow, publish('B', 151, 'a/b', 'DENY')), [])
  t.match(notes(publish('A', 150, 'a/#', 'DENY'), publish('B', 150, 'a', 'ALLOW')), [
    /^B never decides anything: A/,
    /^A and B have the same priority/,
  ])
})

t.test('who is locked out', async (t) => {
  t.match(notes(publish('A', 150, '#', 'DENY')), [/^A locks out everybody but root: nobody else can publish/])
  t.same(notes(publish('A', 150, '#', 'DENY'), publish('B', 140, 'b', 'ALLOW')), [])
  t.same(notes(publish('A', 150, 'a/#', 'DENY')), [])
  t.match(
    reviewRules([], nodesOf(SEEDS.slice(1))).map(({ message }) => message),
    [/^No rule for Connect allows anything/],
  )
})
