/** A member of a shared group goes, and the process dies meanwhile: its messages are with one member, not with none or two. */
import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import { ShardFixture } from './shard.fixture.js'

const SESSION = { expiry: 1_000, cleanStart: false }
const TEXTS = ['1', '2', '3', '4']

/** An engine that tells of each commit before it is announced. */
class CountingEngine extends MemoryEngine {
  onCommit: () => void = () => {}

  override commit(...[work, usesReserve]: Parameters<MemoryEngine['commit']>): void {
    super.commit(work, usesReserve)
    this.onCommit()
  }
}

interface Course {
  /** Where the member is that gets the messages; the other one is in shard 0. */
  readonly takerShard: number
  readonly qos: 1 | 2
  /** The session of the one that has gone expires; otherwise it loses its connection. */
  readonly expires: boolean
}

/**
 * @param cut commits until the process dies
 * @returns by message, to whom it was delivered under which packet identifier; undefined when there were less commits
 */
function handOverAndDie({ takerShard, qos, expires }: Course, cut: number): Map<string, Set<string>> | undefined {
  const engine = new CountingEngine()
  const ownerOf = (id: string): number => (id === 'bob' ? takerShard : 0)
  const broker = new ShardFixture({ engine, shards: 2, ownerOf })
  const delivered = new Map(TEXTS.map((text): [string, Set<string>] => [text, new Set()]))
  const note = (client: string, lines: readonly string[]): void => {
    for (const line of lines) {
      const found = /^t=(\d) q\d #(\d+)/.exec(line)
      if (found !== null) delivered.get(found[1])?.add(`${client} ${found[2]}`)
    }
  }
  const ann = broker.connect('ann', { ...SESSION, expiry: 10, receiveMaximum: 1 })
  ann.subscribe('$share/g/t', { qos: 2 })
  if (expires) ann.drop()
  const eve = broker.connect('eve')
  for (const text of TEXTS) eve.publish('t', text, { qos })
  const bob = broker.connect('bob', { ...SESSION, shard: takerShard })
  bob.subscribe('$share/g/t', { qos: 2 })
  note('ann', ann.take())
  bob.take()
  let left = cut
  engine.onCommit = () => {
    if (--left === 0) broker.holdFlush()
  }
  if (expires) broker.advance(20_000)
  else ann.drop()
  broker.settle()
  note('bob', bob.takeAll())
  if (left > 0) return undefined
  engine.onCommit = () => {}
  const later = broker.crash()
  for (const id of ['bob', 'ann']) {
    const client = later.connect(id, { ...SESSION, shard: ownerOf(id) })
    note(id, client.takeAll())
  }
  return delivered
}

const COURSES = [0, 1].flatMap((takerShard) =>
  ([1, 2] as const).flatMap((qos) => [false, true].map((expires): Course => ({ takerShard, qos, expires }))),
)

t.test('whenever the process dies', async (t) => {
  for (const course of COURSES) {
    const what = `QoS ${course.qos} to shard ${course.takerShard}, ${course.expires ? 'expired' : 'disconnected'}`
    let cuts = 0
    for (
      let delivered = handOverAndDie(course, 1);
      delivered !== undefined;
      delivered = handOverAndDie(course, cuts + 1)
    ) {
      cuts++
      const counts = [...delivered.values()].map(({ size }) => size)
      const isRight = counts.every((count) => (course.qos === 2 ? count === 1 : count >= 1))
      t.ok(isRight, `${what}, after commit ${cuts}: ${[...delivered].map(([text, to]) => `${text} to ${[...to]}`)}`)
    }
    t.ok(cuts > 1, `${what}: ${cuts} commits`)
  }
})
