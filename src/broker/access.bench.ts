/**
 * How fast it is said that a session may publish to a topic that it has published to before. `node
 * dist/src/broker/access.bench.js` prints decisions per second of one thread.
 */
import { pathToFileURL } from 'node:url'
import { encodeText } from '../base/bytes.js'
import { policyOf, rule } from '../security/rules/rules.fixture.js'
import { denial } from './publish-flow.js'
import { changeAccess } from './receiving.js'
import type { Session } from './session.js'
import { ShardFixture } from './shard.fixture.js'
import type { ShardState } from './shard-state.js'
import type { TopicEntry } from './topic-table.js'

const SESSIONS = 100
const OPEN = rule('Open', 'PRIORITY 1000000 FOR Publish TO TOPIC "#"', 'ALLOW')
/** Each client may be locked, so that no session publishes freely. */
const LOCKS = Array.from({ length: 200 }, (_, n) =>
  rule(
    `L${n}`,
    `PRIORITY ${150 + n} FOR Publish TO TOPIC "#"`,
    `IF TOPIC EXISTS "locks/${n}/" + CLIENTID THEN\n    DENY`,
  ),
)

export interface Rate {
  readonly name: string
  readonly perSecond: number
}

/** @param decisions for each of the cases */
export function run(decisions: number): Rate[] {
  return [
    { name: 'all topics are open', perSecond: rate([OPEN], 10, decisions) },
    ...[1, 10, 100].map((topics) => ({
      name: `200 rules with conditions, ${topics} ${topics === 1 ? 'topic' : 'topics in turn'}`,
      perSecond: rate([...LOCKS, OPEN], topics, decisions),
    })),
  ]
}

/** @param topics of each session */
function rate(rules: readonly string[], topics: number, decisions: number): number {
  const fixture = new ShardFixture({ policy: policyOf(rules) })
  const shard = fixture.shard()
  const connect = rule('Connect', 'PRIORITY 1000000 FOR Connect', 'ALLOW')
  changeAccess(shard, { rules: [...rules, connect], users: [], removedUsers: [], isWhole: true })
  for (let n = 0; n < SESSIONS; n++) fixture.connect(`c${n}`)
  fixture.settle()
  const sessions = [...shard.sessions.values()]
  const entries = Array.from({ length: topics }, (_, n) => entryOf(shard, `line/l${n}/state`))
  ask(shard, sessions, entries, SESSIONS * topics)
  // time of the processor, since other programs may use the machine too
  const started = process.cpuUsage()
  ask(shard, sessions, entries, decisions)
  const { user, system } = process.cpuUsage(started)
  return Math.round((decisions * 1e6) / (user + system))
}

function entryOf(shard: ShardState, topic: string): TopicEntry {
  const bytes = encodeText(topic)
  return shard.topics.find(bytes, 0, bytes.length, topic.length)
}

/** One session after the other, each with the next of its topics, as messages of many publishers come in. */
function ask(shard: ShardState, sessions: readonly Session[], entries: readonly TopicEntry[], decisions: number): void {
  let turn = 0
  for (let n = 0; n < decisions; n += sessions.length) {
    const entry = entries[turn++ % entries.length]
    for (const session of sessions) {
      const problem = denial(shard, session, entry)
      if (problem !== undefined) throw new Error(problem)
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  run(1_000_000)
  for (const { name, perSecond } of run(10_000_000)) {
    console.log(`${name.padEnd(48)} ${(perSecond / 1e6).toFixed(1).padStart(6)} M/s`)
  }
}
