import t from 'tap'
import type { ConnectRequest } from '../contracts/records.js'
import type { Connect } from '../mqtt/packets.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import type { Admission, Authenticator, Peer } from '../security/authenticator.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'

const PINGREQ = Uint8Array.of(0xc0, 0)

function publish(payload: string): Uint8Array {
  return encodePublish({ version: 5, topic: 't', payload: Buffer.from(payload), qos: 0 })
}

function requestOf(record: string): ConnectRequest {
  return JSON.parse(record.slice(record.indexOf('{')))
}

t.test('what the client is told of its connection', async (t) => {
  const cases: {
    title: string
    sent: Parameters<typeof connectPacket>[0]
    max: number
    got: Partial<ConnectRequest>
  }[] = [
    {
      title: 'within the maximum',
      sent: { keepAliveSeconds: 10 },
      max: 20,
      got: { keepAliveSeconds: 10, serverKeepAliveSeconds: undefined },
    },
    {
      title: 'more',
      sent: { keepAliveSeconds: 30 },
      max: 20,
      got: { keepAliveSeconds: 20, serverKeepAliveSeconds: 20 },
    },
    {
      title: 'none',
      sent: { keepAliveSeconds: 0 },
      max: 20,
      got: { keepAliveSeconds: 20, serverKeepAliveSeconds: 20 },
    },
    {
      title: 'MQTT 3.1.1 cannot be told',
      sent: { keepAliveSeconds: 30, version: 4 },
      max: 20,
      got: { keepAliveSeconds: 30 },
    },
    { title: 'an identifier of our own', sent: { clientId: '' }, max: 0, got: { assigned: true } },
  ]
  for (const { title, sent, max, got } of cases) {
    const broker = new ThreadFixture({ config: { connection: { keepAliveSecondsMax: max } } })
    broker.accept().receive(connectPacket(sent))
    const request = requestOf(broker.takeRecords()[0])
    t.match(request, got, title)
    t.ok(request.clientId.length > 0)
  }
})

t.test('the shard is told what was known of users', async (t) => {
  const broker = new ThreadFixture()
  broker.directory.change({ users: [], removedUsers: [], isWhole: true, number: 7 })
  broker.accept().receive(connectPacket())
  t.equal(requestOf(broker.takeRecords()[0]).knownChange, 7)
})

t.test('the log tells who failed to log in: what it called itself, its address and port', async (t) => {
  const broker = new ThreadFixture({
    authenticator: { admit: () => ({ kind: 'refused', reasonCode: 0x87, reason: 'no' }), begin: () => undefined },
  })
  broker.accept().receive(connectPacket({ clientId: 'pump-7' }))
  t.match(broker.logged, [{ fields: { clientId: 'pump-7', address: /./, port: Number } }])
})

t.test('connections that are refused before a shard hears of them', async (t) => {
  const config = {
    session: { clientIdBytesMax: 23 },
    topic: { levelsMax: 2 },
    connection: { packetBytesMaxBeforeConnect: 1_024 },
  }
  const will = {
    topic: 'a/b/c',
    payload: new Uint8Array(0),
    qos: 0,
    retain: false,
    delaySeconds: 0,
    publishProperties: new Uint8Array(0),
  } as const
  const cases: { title: string; bytes: Uint8Array; version?: 3 | 4 | 5; answer: unknown[] }[] = [
    { title: 'no CONNECT at all', bytes: PINGREQ, version: 4, answer: [] },
    { title: 'a PUBLISH', bytes: publish('x'), version: 4, answer: [] },
    {
      title: 'a long client identifier',
      bytes: connectPacket({ clientId: 'x'.repeat(24) }),
      answer: [{ kind: 'connack', reasonCode: 0x85 }],
    },
    {
      title: 'in MQTT 3.1.1',
      bytes: connectPacket({ clientId: 'x'.repeat(24), version: 4 }),
      version: 4,
      answer: [{ kind: 'connack', reasonCode: 2 }],
    },
    { title: 'a deep will topic', bytes: connectPacket({ will }), answer: [{ kind: 'connack', reasonCode: 0x90 }] },
    {
      title: 'a method that is not known',
      bytes: connectPacket({ authenticationMethod: 'SCRAM' }),
      answer: [{ kind: 'connack', reasonCode: 0x8c }],
    },
    {
      title: 'no problem information',
      bytes: connectPacket({ clientId: 'x'.repeat(24), requestProblemInformation: false }),
      answer: [{ reasonCode: 0x85, reasonString: undefined }],
    },
  ]
  for (const { title, bytes, version = 5, answer } of cases) {
    const broker = new ThreadFixture({ config })
    const transport = broker.accept()
    transport.receive(bytes)
    t.match(transport.takePackets(version), answer, title)
    t.ok(transport.isEnding, title)
    transport.close()
    t.same(broker.takeRecords(), [], title)
    t.equal(broker.count('connectionsOpen'), 0)
    t.equal(broker.count('protocolErrors'), 1)
    t.equal(broker.thread.open, 0)
  }
  const broker = new ThreadFixture({ config })
  const large = broker.accept()
  large.receive(Uint8Array.of(0x10, 0xff, 0x7f))
  t.ok(large.isEnding, 'too large for a stranger, seen before its body')
})

/** Decides when the test says so. */
class SlowAuthenticator implements Authenticator {
  decide: (admission: Admission) => Promise<void> = async () => {}
  fail: (error: Error) => Promise<void> = async () => {}
  isAwaited = (): boolean => false

  admit(_connect: Connect, _peer: Peer, isAwaited = this.isAwaited): Promise<Admission> {
    this.isAwaited = isAwaited
    return new Promise((resolve, reject) => {
      this.decide = async (admission) => {
        resolve(admission)
        await new Promise(setImmediate)
      }
      this.fail = async (error) => {
        reject(error)
        await new Promise(setImmediate)
      }
    })
  }

  begin(): undefined {
    return undefined
  }
}

t.test('an authenticator that takes its time: what comes meanwhile waits', async (t) => {
  const authenticator = new SlowAuthenticator()
  const broker = new ThreadFixture({ authenticator })
  const transport = broker.accept()
  const second = publish('two')
  transport.receive(connectPacket(), publish('one'), second.subarray(0, 4))
  t.notOk(transport.isPaused, 'a paused socket does not tell that its client leaves')
  transport.receive(second.subarray(4), PINGREQ)
  t.ok(transport.isPaused, 'what comes meanwhile has an end')
  t.same(broker.takeRecords(), [])
  await authenticator.decide({ kind: 'admitted', userName: 'ann' })
  const [connect, ...others] = broker.takeRecords()
  t.equal(requestOf(connect).userName, 'ann')
  t.same(others, [])
  t.ok(transport.isPaused, 'now for the shard')
  broker.acceptClient(0)
  t.same(broker.takeRecords(), ['0 publish t=one q0 #0', '0 publish t=two q0 #0', '0 control 12 c000'])
  t.notOk(transport.isPaused)
})

t.test('an authenticator that refuses, or fails', async (t) => {
  const refused = (reasonCode: 0x86 | 0x87): Admission => ({ kind: 'refused', reasonCode, reason: 'no' })
  for (const [reasonCode, version, answer] of [
    [0x86, 5, 0x86],
    [0x87, 5, 0x87],
    [0x86, 4, 4],
    [0x87, 4, 5],
  ] as const) {
    const authenticator = new SlowAuthenticator()
    const broker = new ThreadFixture({ authenticator })
    const transport = broker.accept()
    transport.receive(connectPacket({ version }), PINGREQ)
    await authenticator.decide(refused(reasonCode))
    t.match(transport.takePackets(version), [{ kind: 'connack', reasonCode: answer }])
    t.ok(transport.isEnding)
    t.same(broker.takeRecords(), [])
  }
  const authenticator = new SlowAuthenticator()
  const broker = new ThreadFixture({ authenticator })
  const transport = broker.accept()
  transport.receive(connectPacket())
  await authenticator.fail(new Error('the directory is down'))
  t.match(transport.takePackets(5), [{ kind: 'connack', reasonCode: 0x83 }])
  t.match(broker.logged, [{ level: 'error' }, { level: 'warn' }])
})

t.test('a client that leaves while it is being authenticated', async (t) => {
  const authenticator = new SlowAuthenticator()
  const broker = new ThreadFixture({ authenticator })
  broker.accept().receive(connectPacket())
  const [first] = [authenticator.decide]
  const other = broker.accept()
  const leaving = broker.accept()
  leaving.receive(connectPacket())
  t.ok(authenticator.isAwaited())
  leaving.close()
  t.notOk(authenticator.isAwaited(), 'no hash need be computed for it')
  await authenticator.decide({ kind: 'admitted', userName: undefined })
  t.same(broker.takeRecords(), [])
  await first({ kind: 'admitted', userName: undefined })
  t.match(broker.takeRecords(), [/^0 connect/])
  t.notOk(other.isClosed)
})
