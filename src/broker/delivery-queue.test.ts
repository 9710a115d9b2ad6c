import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Qos } from '../mqtt/packets.js'
import { type Delivery, DeliveryQueue } from './delivery-queue.js'
import { deliveryWith, payloadOf } from './message.fixture.js'

function texts(deliveries: readonly (Delivery | undefined)[]): string[] {
  return deliveries.map((delivery) => (delivery === undefined ? '' : payloadOf(delivery.message)))
}

function drain(queue: DeliveryQueue): string[] {
  const taken: string[] = []
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) taken.push(...texts([next]))
  return taken
}

t.test('first in, first out', async (t) => {
  const queue = new DeliveryQueue()
  t.equal(queue.shift(), undefined)
  t.equal(queue.peek(), undefined)
  for (const text of ['a', 'b', 'c']) queue.push(deliveryWith(text))
  t.same(texts([queue.peek()]), ['a'], 'a look takes nothing')
  t.equal(queue.length, 3)
  t.same(drain(queue), ['a', 'b', 'c'])
  t.equal(queue.bytes, 0)
})

t.test('remove keeps the order of the others', async (t) => {
  const queue = new DeliveryQueue()
  for (let number = 0; number < 10; number++) queue.push(deliveryWith(String(number), number % 2 === 0 ? 0 : 1))
  t.equal(queue.qos0Length, 5)
  const removed = queue.remove(({ qos }) => qos === 0)
  t.same(texts(removed), ['0', '2', '4', '6', '8'])
  t.equal(queue.qos0Length, 0)
  t.same(drain(queue), ['1', '3', '5', '7', '9'])
})

t.test('memory of a long queue is given back when it is empty', async (t) => {
  const queue = new DeliveryQueue()
  for (let turn = 0; turn < 3; turn++) {
    for (let number = 0; number < 200; number++) queue.push(deliveryWith(String(number)))
    t.same(
      drain(queue),
      Array.from({ length: 200 }, (_, number) => String(number)),
    )
  }
})

t.test('behaves as an array', async () => {
  const step = fc.record({
    kind: fc.constantFrom('push', 'push', 'push', 'push', 'shift', 'shift', 'remove', 'clear'),
    qos: fc.constantFrom<Qos>(0, 1, 2),
    bytes: fc.nat(20),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new DeliveryQueue()
      let model: Delivery[] = []
      for (const { kind, qos, bytes } of steps) {
        switch (kind) {
          case 'push': {
            const delivery = deliveryWith('x'.repeat(bytes), qos)
            queue.push(delivery)
            model.push(delivery)
            break
          }
          case 'shift':
            assert.equal(queue.shift(), model.shift())
            break
          case 'remove': {
            const leaves = (delivery: Delivery): boolean => delivery.qos === qos
            assert.deepEqual(queue.remove(leaves), model.filter(leaves))
            model = model.filter((delivery) => !leaves(delivery))
            break
          }
          default:
            if (bytes > 2) break // seldom
            queue.clear()
            model = []
        }
        assert.equal(queue.length, model.length)
        assert.equal(queue.peek(), model[0])
        assert.equal(
          queue.bytes,
          model.reduce((sum, { message }) => sum + message.sizeBytes, 0),
        )
        assert.equal(queue.qos0Length, model.filter((delivery) => delivery.qos === 0).length)
      }
      for (const expected of model) assert.equal(queue.shift(), expected)
    }),
    { numRuns: 200 },
  )
})
