/** A subscriber that never reads while others publish. */
import { behaviour } from '../support/statement.js'
import { growthDuring, MEBIBYTE } from './memory.js'

const QUEUE = 500
const BOUNDED = {
  config: {
    connection: { sendBufferBytesMax: 1_048_576 },
    session: { queuedMessagesMax: QUEUE, inflightMax: 50 },
  },
}
const PAYLOAD = Buffer.alloc(20_000, 'flood ')
/** Sent before the publisher waits for the broker. */
const BATCH = 50
/** Round trips in which what was queued must arrive. */
const ROUNDS_MAX = 500

behaviour('drops QoS 0 for a client that does not read, and serves the others', BOUNDED, async (t, broker) => {
  const slow = await broker.connect()
  await slow.subscribe(broker.topic('flood'))
  slow.pause()
  const other = await broker.connect()
  await other.subscribe(broker.topic('other'), { qos: 1 })
  const publisher = await broker.connect()
  const flood = async (messages: number): Promise<void> => {
    for (let sent = 0; sent < messages; sent += BATCH) {
      for (let count = 0; count < BATCH; count++) publisher.sendPublish(broker.topic('flood'), PAYLOAD)
      publisher.sendPublish(broker.topic('other'), `after ${sent}`, { qos: 1 })
      await other.expectMessage(`after ${sent}`)
    }
  }
  await flood(5_000) // until buffers have their size and garbage is collected at its pace
  const growth = await growthDuring(() => flood(7_500))
  t.ok(growth < 64 * MEBIBYTE, `grew by ${growth} bytes while 150 MB were published`)
  slow.destroy()
})

behaviour('queues QoS 1 up to its bound for a client that does not read', BOUNDED, async (t, broker) => {
  const flood = broker.topic('flood')
  const slow = await broker.connect({ clientId: broker.clientIdOf('slow') })
  await slow.subscribe(flood, { qos: 1 })
  slow.pause()
  const publisher = await broker.connect()
  const codes: number[] = []
  for (let number = 1; number <= 1_000; number++)
    codes.push(await publisher.publish(flood, bytesOf(number), { qos: 1 }))
  const refused = codes.filter((code) => code === 0x97).length
  t.same(
    codes.filter((code) => code !== 0x97 && code !== 0),
    [],
    'accepted or refused for the quota',
  )
  t.ok(refused > 0, 'the publisher learns that the queue is full')
  slow.resume()
  for (let round = 0; round < ROUNDS_MAX && slow.messages.length < 1_000 - refused; round++) await slow.ping()
  await broker.settle()
  const numbers = slow.messages.map(({ text }) => Number(text.slice(0, 6)))
  t.equal(numbers.length, 1_000 - refused, 'nothing that was acknowledged is lost')
  t.same(
    numbers,
    [...numbers].sort((one, other) => one - other),
  )
})

behaviour(
  'holds no more than its window for a client that reads but never acknowledges',
  BOUNDED,
  async (t, broker) => {
    const topic = broker.topic('a')
    const silent = await broker.connect({ acknowledge: 'by hand' })
    await silent.subscribe(topic, { qos: 2 })
    const publisher = await broker.connect()
    let refused = 0
    for (let number = 0; number < 1_000; number++) {
      if ((await publisher.publish(topic, `${number}`, { qos: 1 + (number % 2) })) === 0x97) refused += 1
    }
    await broker.settle()
    t.equal(silent.messages.length, 50)
    t.equal(refused, 1_000 - 50 - QUEUE)
  },
)

/** The number first, then enough to fill buffers. */
function bytesOf(number: number): Uint8Array {
  const payload = Buffer.from(PAYLOAD)
  payload.write(String(number).padStart(6, '0'))
  return payload
}
