/** Between CONNECT and what the shard answers, which may take as long as a disk does. */
import t from 'tap'
import { CloseCause, OutboundKind } from '../contracts/records.js'
import { encodeConnack } from '../mqtt/control-codec.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { shardOf } from './admission.js'
import { connectPacket, ThreadFixture, type ThreadOptions } from './connection-thread.fixture.js'
import type { FakeTransport } from './transport.fixture.js'

const PINGREQ = Uint8Array.of(0xc0, 0)
const DISCONNECT = Uint8Array.of(0xe0, 0)
const CONNACK = { kind: 'connack', reasonCode: 0 }

function publish(payload: string): Uint8Array {
  return encodePublish({ version: 5, topic: 't', payload: Buffer.from(payload), qos: 0 })
}

function idOf(shard: number, from: number): string {
  for (let number = from; ; number++) if (shardOf(`c${number}`, 2) === shard) return `c${number}`
}

/** A client in slot 0 whose shard has not answered; `behind` has come with CONNECT. */
function opening(
  behind: readonly Uint8Array[] = [],
  options: ThreadOptions = {},
  connect: Parameters<typeof connectPacket>[0] = {},
): { broker: ThreadFixture; transport: FakeTransport } {
  const broker = new ThreadFixture(options)
  const transport = broker.accept()
  transport.receive(connectPacket(connect), ...behind)
  return { broker, transport }
}

t.test('packets behind CONNECT wait for ACCEPT and then follow in order [MQTT-3.2.0-1]', async (t) => {
  const [first, second] = [publish('1'), publish('2')]
  const { broker, transport } = opening([first, PINGREQ, second.subarray(0, 3)])
  t.ok(transport.isPaused)
  t.match(broker.takeRecords(), [/^0 connect/])
  transport.receive(second.subarray(3), publish('3'))
  transport.receive(publish('4').subarray(0, 5))
  t.same(broker.takeRecords(), [], 'what was read before the pause took hold waits too')
  t.same(transport.take(), Buffer.alloc(0))
  broker.acceptClient(0)
  t.match(transport.takePackets(5), [CONNACK])
  t.same(broker.takeRecords(), [
    '0 publish t=1 q0 #0',
    '0 control 12 c000',
    '0 publish t=2 q0 #0',
    '0 publish t=3 q0 #0',
  ])
  t.notOk(transport.isPaused)
  transport.receive(publish('4').subarray(5))
  t.same(broker.takeRecords(), ['0 publish t=4 q0 #0'])
  const sent = [connectPacket(), first, PINGREQ, second, publish('3'), publish('4')]
  t.equal(broker.count('bytesReceived'), Buffer.concat(sent).length, 'all was counted, and once')
})

t.test('nothing behind CONNECT: the socket is read again', async (t) => {
  const { broker, transport } = opening()
  t.ok(transport.isPaused)
  broker.acceptClient(0)
  t.notOk(transport.isPaused)
})

t.test('a violation behind CONNECT: CONNACK first, then DISCONNECT [MQTT-3.14.0-1]', async (t) => {
  for (const version of [4, 5] as const) {
    const { broker, transport } = opening([connectPacket({ version })], {}, { version })
    broker.takeRecords()
    t.same(transport.take(), Buffer.alloc(0))
    t.notOk(transport.isEnding)
    broker.acceptClient(0, version)
    const disconnect = { kind: 'disconnect', reasonCode: 0x82 }
    const answer = transport.takePackets(version)
    t.match(answer, version === 5 ? [CONNACK, disconnect] : [CONNACK])
    t.equal(answer.length, version === 5 ? 2 : 1)
    t.ok(transport.isEnding)
    transport.close()
    t.same(broker.takeRecords(), [`0 closed ${CloseCause.VIOLATION}`])
  }
})

t.test('DISCONNECT behind CONNECT', async (t) => {
  const { broker, transport } = opening([publish('1'), DISCONNECT, publish('2')])
  broker.takeRecords()
  broker.acceptClient(0)
  t.match(transport.takePackets(5), [CONNACK])
  t.ok(transport.isEnding)
  transport.close()
  t.same(broker.takeRecords(), ['0 publish t=1 q0 #0', '0 control 14 e000', `0 closed ${CloseCause.DISCONNECTED}`])
})

t.test('CLOSE instead of ACCEPT: CONNACK, and nothing of what waited', async (t) => {
  const { broker, transport } = opening([publish('1')])
  broker.takeRecords()
  const connack = encodeConnack({ sessionPresent: false, reasonCode: 0x97 }, 5)
  broker.fromShard((outlet) => outlet.send(OutboundKind.CLOSE, 0, connack))
  t.match(transport.takePackets(5), [{ kind: 'connack', reasonCode: 0x97 }])
  t.ok(transport.isEnding)
  transport.receive(publish('2'))
  transport.close()
  t.same(broker.takeRecords(), [`0 closed ${CloseCause.CLOSED_BY_SHARD}`])
})

t.test('the socket closes: the shard is told, and its answer comes too late', async (t) => {
  const { broker, transport } = opening([publish('1')])
  broker.takeRecords()
  transport.close()
  t.same(broker.takeRecords(), [`0 closed ${CloseCause.NETWORK}`])
  broker.acceptClient(0)
  broker.fromShard((outlet) => outlet.send(OutboundKind.SEND, 0, publish('late')))
  t.same(transport.take(), Buffer.alloc(0))
  t.same(broker.takeRecords(), [])
  t.equal(broker.count('connectionsOpen'), 0)
  broker.fromShard((outlet) => outlet.signal(OutboundKind.RELEASED, 0))
  broker.connect(0).receive(PINGREQ)
  t.same(broker.takeRecords(), ['0 control 12 c000'], 'the slot is used again, and nothing has stayed in it')
})

t.test('what waits is no more than what one read has brought: only ACCEPT ends the pause', async (t) => {
  const { broker, transport } = opening([publish('1')], { ringBytes: 4_096 })
  broker.connect(1, { clientId: 'other' }).receive(publish('x'.repeat(10_000)))
  t.ok(broker.isCongested())
  broker.takeRecords()
  t.equal(broker.publish(), false)
  broker.advance(60_000)
  t.ok(transport.isPaused, 'neither a ring that is free again nor the time')
  t.same(broker.takeRecords(), [])
  broker.acceptClient(0)
  t.notOk(transport.isPaused)
  t.same(broker.takeRecords(), ['0 publish t=1 q0 #0'])

  const large = opening([publish('x'.repeat(2_000))], { config: { connection: { packetBytesMax: 1_024 } } })
  large.broker.takeRecords()
  large.broker.acceptClient(0)
  t.match(large.transport.takePackets(5), [CONNACK, { kind: 'disconnect', reasonCode: 0x95 }])
})

t.test('a ring that is full when ACCEPT comes: what waits goes on when there is space', async (t) => {
  const { broker, transport } = opening([publish('1'), PINGREQ], { ringBytes: 4_096 })
  const other = broker.connect(1, { clientId: 'other' })
  other.receive(publish('x'.repeat(10_000)))
  broker.acceptClient(0)
  t.match(transport.takePackets(5), [CONNACK], 'CONNACK does not wait')
  t.ok(transport.isPaused)
  t.equal(broker.publish(), true)
  t.ok(transport.isPaused)
  t.equal(broker.takeRecords().length, 1, 'only what has filled the ring')
  t.equal(broker.publish(), false)
  t.notOk(transport.isPaused)
  t.same(broker.takeRecords(), ['0 publish t=1 q0 #0', '0 control 12 c000'])

  const late = broker.accept()
  other.receive(publish('x'.repeat(10_000)))
  late.receive(connectPacket({ clientId: 'late' }), PINGREQ)
  broker.acceptClient(2)
  t.ok(late.isPaused, 'one that has come to a full ring waits as well')
  broker.takeRecords()
  broker.publish()
  t.notOk(late.isPaused)
  t.same(broker.takeRecords(), ['2 control 12 c000'])
})

t.test('what had waited fills the ring again: the others go on waiting', async (t) => {
  const broker = new ThreadFixture({ ringBytes: 4_096 })
  const filler = broker.connect(0)
  const transports = [1, 2].map((slot) => {
    const transport = broker.accept()
    transport.receive(connectPacket({ clientId: `c${slot}` }), publish(`${slot}`.repeat(10_000)))
    return transport
  })
  broker.takeRecords()
  filler.receive(publish('x'.repeat(10_000)))
  for (const slot of [1, 2]) broker.acceptClient(slot)
  const published: string[] = []
  for (const isPaused of [true, true, false]) {
    published.push(...broker.takeRecords().map((record) => record.slice(0, 13)))
    t.equal(broker.publish(), isPaused)
    t.same(
      [filler, ...transports].map((transport) => transport.isPaused),
      [isPaused, isPaused, isPaused],
    )
  }
  t.same(published, ['0 publish t=x', '1 publish t=1', '2 publish t=2'])
})

t.test('a ring that is found free in the middle of other work is taken up afterwards', async (t) => {
  const broker = new ThreadFixture({ ringBytes: 4_096, shards: 2 })
  const [waiting, filler, other] = [idOf(0, 0), idOf(0, 100), idOf(1, 0)]
  broker.accept().receive(connectPacket({ clientId: waiting }), PINGREQ)
  broker.connect(1, { clientId: filler }).receive(publish('x'.repeat(10_000)))
  broker.acceptClient(0)
  broker.takeRecords()
  broker.connect(2, { clientId: other }, 1).receive(publish('x'.repeat(10_000)))
  t.ok(broker.isCongested(1))
  t.same(broker.takeRecords(), [])
  t.equal(broker.publish(), true)
  t.same(broker.takeRecords(), ['0 control 12 c000'])
})

t.test('keep alive counts from ACCEPT', async (t) => {
  const { broker, transport } = opening([], {}, { keepAliveSeconds: 10 })
  broker.advance(100_000)
  t.notOk(transport.isEnding, 'not read, so not silent')
  broker.acceptClient(0)
  broker.advance(14_999)
  t.notOk(transport.isEnding)
  broker.advance(1)
  t.ok(transport.isEnding)
})

t.test('its shard dies, or the broker stops', async (t) => {
  const lost = opening([publish('1')])
  lost.broker.takeRecords()
  lost.broker.thread.shardLost(0)
  t.ok(lost.transport.isClosed)
  t.same(lost.broker.takeRecords(), [])

  const stopped = opening([publish('1')])
  stopped.broker.takeRecords()
  stopped.broker.thread.stop()
  t.ok(stopped.transport.isClosed)
  t.same(stopped.broker.takeRecords(), [`0 closed ${CloseCause.NETWORK}`])
})
