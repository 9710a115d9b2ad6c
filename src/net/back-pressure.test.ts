import t from 'tap'
import { OutboundKind } from '../contracts/records.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { shardOf } from './admission.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'

const PINGREQ = Uint8Array.of(0xc0, 0)

function publish(payload: string): Uint8Array {
  return encodePublish({ version: 5, topic: 't', payload: Buffer.from(payload), qos: 0 })
}

t.test('a client that is not read, because its shard is behind, is not silent', async (t) => {
  const broker = new ThreadFixture({ ringBytes: 4_096 })
  const transport = broker.connect(0, { keepAliveSeconds: 10 })
  transport.receive(publish('x'.repeat(10_000)))
  t.ok(transport.isPaused)
  broker.advance(20_000)
  t.notOk(transport.isEnding)
  broker.takeRecords()
  broker.thread.resumeReading()
  t.notOk(transport.isPaused)
  transport.receive(PINGREQ)
  broker.advance(10_000)
  t.notOk(transport.isEnding)
})

t.test('a ring that is full stops the sockets of its shard, and only those', async (t) => {
  const broker = new ThreadFixture({ ringBytes: 4_096, shards: 2 })
  const idOf = (shard: number, from: number): string => {
    for (let number = from; ; number++) if (shardOf(`c${number}`, 2) === shard) return `c${number}`
  }
  const ids = [idOf(0, 0), idOf(0, 100), idOf(1, 0)]
  const transports = ids.map((clientId, slot) => broker.connect(slot, { clientId }, shardOf(clientId, 2)))
  transports[0].receive(...Array.from({ length: 50 }, (_, number) => publish(`${number}`.padEnd(200, '.'))))
  t.ok(broker.isCongested())
  t.same(
    transports.map(({ isPaused }) => isPaused),
    [true, true, false],
  )
  t.equal(broker.thread.resumeReading(), true, 'still behind')
  const late = broker.accept()
  late.receive(connectPacket({ clientId: idOf(0, 1_000) }))
  t.ok(late.isPaused, 'a new one is not read either')
  const published = broker.takeRecords().filter((record) => record.includes('publish'))
  t.equal(published.length, 50, 'nothing is lost')
  t.equal(broker.thread.resumeReading(), false)
  broker.acceptClient(3)
  t.ok([...transports, late].every(({ isPaused }) => !isPaused))
})

t.test('a slow socket: the shard is told, and told again when all has left', async (t) => {
  const broker = new ThreadFixture({ config: { connection: { sendBufferBytesMax: 65_536 } } })
  const transport = broker.connect(0)
  const send = (bytes: number): void =>
    broker.fromShard((outlet) => outlet.send(OutboundKind.SEND, 0, publish('x'.repeat(bytes))))
  transport.isStuck = true
  send(60_000)
  t.same(broker.takeRecords(), [])
  send(10_000)
  t.same(broker.takeRecords(), ['0 flow 1'])
  send(10_000)
  t.same(broker.takeRecords(), [], 'once')
  broker.advance(0)
  t.ok(broker.count('socketBufferBytes') > 80_000)
  transport.drain()
  t.same(broker.takeRecords(), ['0 flow 0'])
  send(10_000)
  transport.drain()
  t.same(broker.takeRecords(), [])
})

t.test('MARK is answered when the bytes before it have left', async (t) => {
  const broker = new ThreadFixture()
  const transport = broker.connect(0)
  const mark = (bytes: number): void =>
    broker.fromShard((outlet) => {
      outlet.send(OutboundKind.SEND, 0, publish('x'.repeat(bytes)))
      outlet.signal(OutboundKind.MARK, 0)
    })
  mark(100_000)
  t.same(broker.takeRecords(), ['0 mark reached'])
  transport.isStuck = true
  mark(1_000)
  t.same(broker.takeRecords(), ['0 mark reached'], 'little enough')
  mark(100_000)
  t.same(broker.takeRecords(), [])
  transport.drain()
  t.same(broker.takeRecords(), ['0 mark reached'])
  transport.drain()
  t.same(broker.takeRecords(), [])
})
