import t, { type Test } from 'tap'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { createSharedRatesMemory, SharedRates } from '../base/shared-rates.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { Connection, ConnectionState } from './connection.js'
import { InboundReader } from './inbound.js'
import { LOCAL_PEER } from './peer.fixture.js'
import { RateLimits } from './rates.js'
import { takeRecords } from './ring-records.fixture.js'
import { SlowReading } from './slow-reading.js'
import { FakeTransport } from './transport.fixture.js'

const NOW_MS = 1_750_000_000_000
const NO_BYTES = Buffer.alloc(0)

const publish = (payload: string): Uint8Array =>
  encodePublish({ version: 4, topic: 't', payload: Buffer.from(payload), qos: 0 })

/** One connection, read as a connection thread does. */
function setUp(t: Test, limits: BrokerConfigInput['limits']) {
  const config = BrokerConfig.parse({ limits })
  const counters = openCounters(createCountersMemory())
  const ring = createRingMemory(1 << 20)
  const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)]
  const transport = new FakeTransport()
  const connection = new Connection(1, transport, transport, LOCAL_PEER, 0, config.connection.packetBytesMax)
  connection.shard = 0
  connection.state = ConnectionState.CONNECTED
  let nowMs = NOW_MS
  const read = (bytes: Buffer, length: number): void => {
    if (connection.rate?.isHeld === true) slow.stash(connection, bytes, length, nowMs)
    else slow.take(connection, bytes, length, () => producer, nowMs)
  }
  const slow: SlowReading = new SlowReading({
    inbound: new InboundReader(config, counters, () => true),
    counters,
    limits: new RateLimits(config.limits, new SharedRates(createSharedRatesMemory(10))),
    now: () => nowMs,
    resume: () => {
      transport.resume()
      if (connection.partialBytes > 0) read(NO_BYTES, 0)
    },
  })
  transport.open({ onData: read, onDrain: () => {}, onClose: () => slow.forget(connection) })
  t.teardown(() => slow.stop())
  return {
    connection,
    transport,
    slow,
    /** Payloads that have gone on their way. */
    passed: (): string[] => takeRecords(producer, consumer).map((record) => /t=(\S*)/.exec(record)?.[1] ?? record),
    advance: (ms: number): void => {
      nowMs += ms
      slow.run(nowMs)
    },
    count: (name: keyof typeof Counter) => counters[Counter[name]],
  }
}

t.test('a client that is too fast is read more slowly, and nothing is lost', async (t) => {
  const { transport, connection, passed, advance, slow, count } = setUp(t, {
    perConnection: { messagesPerSecondMax: 20 },
  })
  const sent = Array.from({ length: 100 }, (_, number) => `${number}`)
  transport.receive(...sent.map(publish))
  const got = passed()
  t.ok(got.length >= 20 && got.length <= 22, `${got.length} at once`)
  t.ok(transport.isPaused)
  t.equal(slow.waiting, 1)
  transport.receive(publish('late'))
  t.same(passed(), [], 'it waits behind the others')
  let seconds = 0
  while (connection.partialBytes > 0 && seconds < 20) {
    for (let ms = 0; ms < 1_000; ms += 20) advance(20)
    const now = passed()
    t.ok(now.length <= 22, `${now.length} in a second`)
    got.push(...now)
    seconds++
  }
  t.same(got, [...sent, 'late'])
  t.ok(seconds >= 4 && seconds <= 5, `${seconds} s`)
  advance(2_000)
  t.notOk(transport.isPaused)
  t.equal(slow.waiting, 0)
  t.ok(count('readsSlowed') > 50)
  t.equal(count('publishReceived'), 101)
})

t.test('bytes, and a wait of minutes', async (t) => {
  const { transport, passed, advance, slow } = setUp(t, { perConnection: { bytesPerSecondMax: 1_000 } })
  transport.receive(publish('x'.repeat(100_000)))
  t.equal(passed().length, 1, 'a packet is never divided')
  t.ok(transport.isPaused)
  for (let ms = 0; ms < 98_000; ms += 500) advance(500)
  t.ok(transport.isPaused)
  for (let ms = 0; ms < 2_000; ms += 500) advance(500)
  t.notOk(transport.isPaused)
  t.equal(slow.waiting, 0)
})

t.test('half a packet behind what was read is put together', async (t) => {
  const { transport, passed, advance } = setUp(t, { perConnection: { messagesPerSecondMax: 2 } })
  const last = publish('a'.repeat(300))
  transport.receive(publish('1'), publish('2'), publish('3'), publish('4'), last.subarray(0, 2))
  t.same(passed(), ['1', '2', '3'])
  transport.receive(last.subarray(2, 100))
  for (let ms = 0; ms < 3_000; ms += 100) advance(100)
  t.same(passed(), ['4'])
  transport.receive(last.subarray(100))
  t.same(passed(), ['a'.repeat(300)])
})

t.test('a connection that is gone is not resumed', async (t) => {
  const { transport, advance, slow, connection } = setUp(t, { perConnection: { messagesPerSecondMax: 1 } })
  transport.receive(publish('1'), publish('2'), publish('3'))
  t.ok(transport.isPaused)
  transport.close()
  for (let ms = 0; ms < 3_000; ms += 20) advance(20)
  t.equal(slow.waiting, 0)
  t.ok(transport.isPaused)
  t.ok(connection.partialBytes > 0)
})

t.test('a break of the protocol is found when its turn comes', async (t) => {
  const { transport, advance } = setUp(t, { perConnection: { messagesPerSecondMax: 1 } })
  transport.receive(publish('1'), publish('2'), Uint8Array.of(0xf0, 0))
  t.throws(
    () => {
      for (let ms = 0; ms < 3_000; ms += 20) advance(20)
    },
    { code: 'MALFORMED_PACKET' },
  )
})
