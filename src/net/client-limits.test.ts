import t from 'tap'
import type { Ban, BanRef } from '../contracts/bans.js'
import { CloseCause } from '../contracts/records.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import type { Authenticator } from '../security/authenticator.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'
import { LOCAL_PEER } from './peer.fixture.js'

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

t.test('behind a proxy on this machine answers to failed logins come late as well', async (t) => {
  const authenticator: Authenticator = {
    admit: () => ({ kind: 'refused', reasonCode: 0x86, reason: 'wrong' }),
    begin: () => undefined,
  }
  const broker = new ThreadFixture({ authenticator })
  const answers = Array.from({ length: 4 }, () => {
    const transport = broker.accept({ ...LOCAL_PEER, isLocal: false })
    transport.receive(connectPacket({ userName: 'ann' }))
    return transport
  })
  t.same(
    answers.map(({ isEnding }) => isEnding),
    [true, true, true, false],
  )
  broker.advance(1_000)
  t.match(answers[3].takePackets(5), [{ kind: 'connack', reasonCode: 0x86 }])
})

t.test('a ban that comes while a connection is opened', async (t) => {
  for (const version of [4, 5] as const) {
    const broker = new ThreadFixture()
    const [waiting, opening] = [broker.accept(), broker.accept()]
    opening.receive(connectPacket({ clientId: 'a', version }))
    broker.takeRecords()
    const bans = [ban({ kind: 'client', what: 'a' }, true), ban({ kind: 'address', what: '127.0.0.1' }, false)]
    broker.thread.changeBans({ bans, lifted: [], isWhole: false })
    t.match(opening.takePackets(version), [{ kind: 'connack', reasonCode: version === 5 ? 0x8a : 5 }])
    t.ok(opening.isEnding)
    broker.acceptClient(1, version)
    t.same(opening.takePackets(version), [], 'the answer of the shard comes too late')
    opening.close()
    t.same(broker.takeRecords(), [`1 closed ${CloseCause.VIOLATION}`])
    waiting.receive(connectPacket({ clientId: 'b', version }))
    t.match(waiting.takePackets(version), [{ kind: 'connack', reasonCode: version === 5 ? 0x8a : 5 }])
    t.same(broker.takeRecords(), [], 'its address is banned by now')
    t.equal(broker.count('connectsRefusedBanned'), 2)
  }
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
