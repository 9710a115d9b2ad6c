import t from 'tap'
import { CloseCause, type ConnectRequest, OutboundKind } from '../contracts/records.js'
import { encodeClientDisconnect } from '../mqtt/client-codec.js'
import { encodeDisconnect } from '../mqtt/control-codec.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { shardOf } from './admission.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'

const PINGREQ = Uint8Array.of(0xc0, 0)
const DISCONNECT = Uint8Array.of(0xe0, 0)

function publish(payload: string): Uint8Array {
  return encodePublish({ version: 5, topic: 't', payload: Buffer.from(payload), qos: 0 })
}

function requestOf(record: string): ConnectRequest {
  return JSON.parse(record.slice(record.indexOf('{')))
}

t.test('CONNECT goes to the shard of the client, CONNACK comes from there', async (t) => {
  const shards = 4
  const broker = new ThreadFixture({ shards })
  for (let number = 0; number < 20; number++) {
    const clientId = `client-${number}`
    const transport = broker.accept()
    transport.receive(connectPacket({ clientId, keepAliveSeconds: 60 }))
    t.same(transport.take(), Buffer.alloc(0), 'nothing is said before the shard')
    const shard = shardOf(clientId, shards)
    const [record, ...others] = broker.takeRecords(shard)
    t.same(others, [])
    t.match(requestOf(record), {
      clientId,
      assigned: false,
      keepAliveSeconds: 60,
      address: '127.0.0.1',
      cleanStart: true,
    })
    t.ok(record.startsWith(`${number} connect`), 'with its slot')
    broker.acceptClient(number, 5, shard)
    t.match(transport.takePackets(5), [{ kind: 'connack', reasonCode: 0 }])
    transport.receive(publish('x'))
    t.same(broker.takeRecords(shard), [`${number} publish t=x q0 #0`])
  }
  t.equal(broker.count('connectionsOpen'), 20)
  t.equal(broker.count('connectionsAccepted'), 20)
})

t.test('a violation after CONNECT: DISCONNECT, and the shard hears of it when the socket is closed', async (t) => {
  for (const version of [4, 5] as const) {
    const broker = new ThreadFixture()
    const transport = broker.connect(0, { version })
    transport.receive(version === 5 ? publish('1') : PINGREQ, connectPacket({ version }), PINGREQ)
    t.equal(broker.takeRecords().length, 1, 'nothing behind the violation')
    t.match(transport.takePackets(version), version === 5 ? [{ kind: 'disconnect', reasonCode: 0x82 }] : [])
    t.ok(transport.isEnding)
    transport.receive(PINGREQ)
    transport.close()
    t.same(broker.takeRecords(), [`0 closed ${CloseCause.VIOLATION}`])
    t.equal(broker.logged.length, 1)
  }
})

t.test('DISCONNECT is passed on, and then the end of the connection', async (t) => {
  const broker = new ThreadFixture()
  const transport = broker.connect(0)
  transport.receive(publish('1'), DISCONNECT, publish('2'))
  t.same(broker.takeRecords(), ['0 publish t=1 q0 #0', '0 control 14 e000'])
  t.ok(transport.isEnding)
  transport.close()
  t.same(broker.takeRecords(), [`0 closed ${CloseCause.DISCONNECTED}`])
})

t.test('DISCONNECT may prolong only a session that was to outlive its connection', async (t) => {
  const disconnect = encodeClientDisconnect(
    { kind: 'disconnect', reasonCode: 0, sessionExpirySeconds: 10, reasonString: undefined, userProperties: [] },
    5,
  )
  for (const [sessionExpirySeconds, cause] of [
    [0, CloseCause.VIOLATION],
    [1, CloseCause.DISCONNECTED],
  ]) {
    const broker = new ThreadFixture()
    const transport = broker.connect(0, { sessionExpirySeconds })
    transport.receive(disconnect)
    transport.close()
    t.equal(broker.takeRecords().at(-1), `0 closed ${cause}`)
    t.match(transport.takePackets(5), cause === CloseCause.VIOLATION ? [{ kind: 'disconnect', reasonCode: 0x82 }] : [])
  }
})

t.test('the network fails', async (t) => {
  const broker = new ThreadFixture()
  const transport = broker.connect(0)
  transport.receive(publish('whole'), publish('half').subarray(0, 5))
  transport.close()
  t.same(broker.takeRecords(), ['0 publish t=whole q0 #0', `0 closed ${CloseCause.NETWORK}`])
  t.equal(broker.count('connectionsOpen'), 0)
})

t.test('a slot is used again when the shard has released it, not before', async (t) => {
  const broker = new ThreadFixture()
  const first = broker.connect(0)
  first.close()
  const second = broker.connect(1)
  broker.fromShard((outlet) => {
    outlet.ack(0, 4, 1, 0)
    outlet.send(OutboundKind.SEND, 0, PINGREQ)
    outlet.signal(OutboundKind.RELEASED, 0)
  })
  t.same([...second.take(), ...first.take()], [])
  const third = broker.accept()
  third.receive(connectPacket())
  t.match(broker.takeRecords(), [/^0 closed/, /^0 connect/].slice(1))
})

t.test('CLOSE from the shard: last bytes, then the end', async (t) => {
  const broker = new ThreadFixture()
  const transport = broker.connect(0)
  broker.fromShard((outlet) => outlet.send(OutboundKind.CLOSE, 0, encodeDisconnect(0x8e)))
  t.match(transport.takePackets(5), [{ kind: 'disconnect', reasonCode: 0x8e }])
  t.ok(transport.isEnding)
  transport.receive(publish('late'))
  transport.close()
  t.same(broker.takeRecords(), [`0 closed ${CloseCause.CLOSED_BY_SHARD}`])
})

t.test('a peer that does not close is closed', async (t) => {
  const broker = new ThreadFixture()
  const transport = broker.connect(0)
  transport.receive(DISCONNECT)
  broker.advance(4_999)
  t.notOk(transport.isClosed)
  broker.advance(1)
  t.ok(transport.isClosed)
})

t.test('keep alive: one and a half times [MQTT-3.1.2-22]', async (t) => {
  for (const version of [3, 4, 5] as const) {
    const broker = new ThreadFixture()
    const transport = broker.connect(0, { version, keepAliveSeconds: 10 })
    broker.advance(14_999)
    transport.receive(PINGREQ)
    broker.advance(14_999)
    t.notOk(transport.isEnding, 'a packet came')
    transport.receive(publish('half').subarray(0, 3))
    broker.advance(1)
    t.ok(transport.isEnding, 'half a packet is none')
    t.match(transport.takePackets(version), version === 5 ? [{ kind: 'disconnect', reasonCode: 0x8d }] : [])
    t.equal(broker.count('keepAliveTimeouts'), 1)
  }
  const without = new ThreadFixture()
  const transport = without.connect(0)
  without.advance(1e9)
  t.notOk(transport.isEnding)
})

t.test('a shard dies: its connections are closed, the others go on', async (t) => {
  const broker = new ThreadFixture({ shards: 2 })
  const idOf = (shard: number): string => {
    for (let number = 0; ; number++) if (shardOf(`c${number}`, 2) === shard) return `c${number}`
  }
  const [lost, kept, closed] = [0, 1, 0].map((shard, slot) => broker.connect(slot, { clientId: idOf(shard) }, shard))
  const stranger = broker.accept()
  closed.close()
  for (const shard of [0, 1]) broker.takeRecords(shard)
  broker.thread.shardLost(0)
  t.same(
    [lost, kept, stranger].map(({ isClosed }) => isClosed),
    [true, false, false],
  )
  t.same(broker.takeRecords(0), [], 'nobody is there to be told')
  kept.receive(publish('x'))
  t.match(broker.takeRecords(1), [/publish t=x/])
  t.equal(broker.count('connectionsOpen'), 2)
  const slots = [0, 1].map(() => {
    broker.accept().receive(connectPacket({ clientId: idOf(1) }))
    return broker.takeRecords(1)[0].split(' ')[0]
  })
  t.same(slots.sort(), ['0', '2'], 'their slots are free')
})

t.test('stopping', async (t) => {
  const broker = new ThreadFixture()
  const connected = broker.connect(0)
  const stranger = broker.accept()
  broker.thread.stop()
  t.ok(stranger.isClosed)
  t.notOk(connected.isClosed, 'its shard closes it')
  t.ok(broker.accept().isClosed)
  broker.thread.destroyAll()
  t.ok(connected.isClosed)
  t.equal(broker.thread.open, 0)
})
