import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodeText, hashBytes } from '../base/bytes.js'
import { AliasUse, InboundAliases, OutboundAliases } from './topic-aliases.js'

function choose(aliases: OutboundAliases, topic: string, hash?: number): string {
  const bytes = encodeText(`--${topic}--`)
  const length = bytes.length - 4
  const use = aliases.choose(bytes, 2, length, hash ?? hashBytes(bytes, 2, length))
  if (use === AliasUse.NONE) return 'none'
  return `${use === AliasUse.SET ? 'set' : 'use'} ${aliases.alias}`
}

t.test('inbound: set, and set anew', async (t) => {
  const aliases = new InboundAliases()
  const [one, two] = ['one', 'two'].map((topic) => ({ bytes: encodeText(topic), hash: 1, levels: 1 }))
  t.equal(aliases.get(5), undefined)
  aliases.set(5, one)
  t.equal(aliases.get(5), one)
  aliases.set(5, two)
  t.equal(aliases.get(5), two)
  t.equal(aliases.get(4), undefined)
})

t.test('outbound: a topic gets an alias when it comes again', async (t) => {
  const aliases = new OutboundAliases(2)
  t.equal(choose(aliases, 'topic/a'), 'none')
  t.equal(choose(aliases, 'topic/a'), 'set 1')
  t.equal(choose(aliases, 'topic/a'), 'use 1')
  t.equal(choose(aliases, 'topic/b'), 'none')
  t.equal(choose(aliases, 'topic/b'), 'set 2')
  t.equal(choose(aliases, 'topic/a'), 'use 1')
})

t.test('outbound: the alias unused for longest is given anew', async (t) => {
  const aliases = new OutboundAliases(2)
  for (const topic of ['topic/a', 'topic/b', 'topic/c']) choose(aliases, topic)
  t.equal(choose(aliases, 'topic/a'), 'set 1')
  t.equal(choose(aliases, 'topic/b'), 'set 2')
  t.equal(choose(aliases, 'topic/a'), 'use 1')
  t.equal(choose(aliases, 'topic/c'), 'set 2', 'that of b')
  t.equal(choose(aliases, 'topic/a'), 'use 1')
  t.equal(choose(aliases, 'topic/b'), 'none', 'as if it were new')
  t.equal(choose(aliases, 'topic/b'), 'set 2', 'that of c')
})

t.test('outbound: topics with one hash are told apart', async (t) => {
  const aliases = new OutboundAliases(4)
  choose(aliases, 'topic/a', 7)
  t.equal(choose(aliases, 'topic/a', 7), 'set 1')
  t.equal(choose(aliases, 'topic/b', 7), 'none')
  t.equal(choose(aliases, 'topic/b', 7), 'none', 'the other one has it')
  t.equal(choose(aliases, 'topic/abc', 7), 'none')
  t.equal(choose(aliases, 'topic/a', 7), 'use 1')
})

t.test('outbound: an alias that was not sent is free again', async (t) => {
  const aliases = new OutboundAliases(1)
  choose(aliases, 'topic/a', 7)
  t.equal(choose(aliases, 'topic/a', 7), 'set 1')
  aliases.forget(7)
  aliases.forget(8)
  t.equal(choose(aliases, 'topic/a', 7), 'none')
  t.equal(choose(aliases, 'topic/a', 7), 'set 1')
})

t.test('outbound: what the client understands is what was meant', async () => {
  const step = fc.record({ topic: fc.integer({ min: 0, max: 12 }), forgets: fc.integer({ min: 0, max: 9 }) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 200 }), (maximum, steps) => {
      const aliases = new OutboundAliases(maximum)
      const client = new Map<number, string>()
      for (const { topic: number, forgets } of steps) {
        const topic = `topic/${number}`
        const hash = number % 10 // some collide
        const [use, alias] = choose(aliases, topic, hash).split(' ')
        if (use === 'none') continue
        assert.ok(Number(alias) >= 1 && Number(alias) <= maximum, `alias ${alias}`)
        if (use === 'use') assert.equal(client.get(Number(alias)), topic)
        else if (forgets === 0) aliases.forget(hash)
        else client.set(Number(alias), topic)
      }
    }),
    { numRuns: 300 },
  )
})
