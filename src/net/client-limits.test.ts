import t from 'tap'
import type { Ban, BanRef } from '../contracts/bans.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'

const PINGREQ = Uint8Array.of(0xc0, 0)
const publish = (payload: string): Uint8Array =>
  encodePublish({ version: 5, topic: 't', payload: Buffer.from(payload), qos: 0 })

function ban(ref: BanRef, isManual: boolean): Ban {
  return { ...ref, reason: 'too many', sinceMs: 0, untilMs: undefined, isManual }
}

t.test('a client that sends too fast is read more slowly, is not silent meanwhile, and loses nothing', async (t) => {
  const broker = new ThreadFixture({ config: { limits: { perConnection: { messagesPerSecondMax: 2 } } } })
  const transport = broker.connect(0, { keepAliveSeconds: 1 })
  transport.receive(...Array.from({ length: 12 }, (_, number) => publish(`${number}`)))
  t.ok(transport.isPaused)
  let passed = broker.takeRecords().length
  t.ok(passed < 5)
  for (let ms = 0; ms < 6_000; ms += 500) {
    broker.advance(500)
    t.notOk(transport.isEnding)
    passed += broker.takeRecords().length
  }
  t.ok(passed >= 10, `${passed} records`)
  t.notOk(transport.isPaused)
  transport.receive(PINGREQ)
  broker.advance(1_499)
  t.notOk(transport.isEnding)
  broker.advance(1)
  t.ok(transport.isEnding, 'now it is silent')
})

t.test('and is closed when it goes on', async (t) => {
  const perConnection = { messagesPerSecondMax: 10, overloadSecondsMax: 3 }
  const broker = new ThreadFixture({ config: { limits: { perConnection } } })
  const transport = broker.connect(0)
  for (let ms = 0; ms < 6_000 && !transport.isEnding; ms += 100) {
    transport.receive(publish('1'), publish('2'), publish('3'))
    broker.advance(100)
  }
  t.ok(transport.isEnding)
  t.match(transport.takePackets(5), [{ kind: 'disconnect', reasonCode: 0x96 }])
  t.equal(broker.count('connectionsClosedRate'), 1)
})

t.test('who is banned is not let in, and who gets banned by hand is closed', async (t) => {
  const broker = new ThreadFixture()
  const open = broker.connect(0, { clientId: 'a' })
  const other = broker.connect(1, { clientId: 'b' })
  broker.thread.changeBans({ bans: [ban({ kind: 'client', what: 'a' }, false)], lifted: [], isWhole: false })
  t.notOk(open.isEnding, 'found by the broker')
  const late = broker.accept()
  late.receive(connectPacket({ clientId: 'a' }))
  t.match(late.takePackets(5), [{ kind: 'connack', reasonCode: 0x8a, reasonString: 'banned: too many' }])
  t.ok(late.isEnding)
  broker.thread.changeBans({ bans: [ban({ kind: 'client', what: 'a' }, true)], lifted: [], isWhole: false })
  t.ok(open.isEnding)
  t.match(open.takePackets(5), [{ kind: 'disconnect', reasonCode: 0x98 }])
  other.receive(PINGREQ)
  t.notOk(other.isEnding)
  t.equal(broker.count('connectsRefusedBanned'), 1)
  t.equal(broker.count('connectionsClosedBanned'), 1)
})
