import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Inflight, InflightState } from './inflight.js'
import { deliveryWith } from './message.fixture.js'

const { AWAITING_PUBACK, AWAITING_PUBREC, AWAITING_PUBCOMP, FREE } = InflightState

t.test('the states of an identifier', async (t) => {
  const inflight = new Inflight()
  t.equal(inflight.stateOf(1), FREE, 'nothing was ever sent')
  t.equal(inflight.deliveryOf(1), undefined)
  const delivery = deliveryWith('a', 2)
  const packetId = inflight.reserve(AWAITING_PUBREC, delivery)
  t.equal(packetId, 1)
  t.equal(inflight.stateOf(1), AWAITING_PUBREC)
  t.equal(inflight.stateOf(9), FREE, 'another identifier with the same place')
  t.equal(inflight.deliveryOf(1), delivery)
  inflight.awaitPubcomp(1)
  t.equal(inflight.stateOf(1), AWAITING_PUBCOMP)
  t.equal(inflight.size, 1)
  t.equal(inflight.release(1), delivery)
  t.equal(inflight.stateOf(1), FREE)
  t.equal(inflight.deliveryOf(1), undefined)
  t.equal(inflight.size, 0)
})

t.test('identifiers are given out in turn, 0 never, and not while they are in use', async (t) => {
  const inflight = new Inflight()
  const held = inflight.reserve(AWAITING_PUBACK, undefined)
  for (let turn = 0; turn < 65_535 * 2; turn++) {
    const packetId = inflight.reserve(AWAITING_PUBACK, undefined)
    if (packetId === 0 || packetId === held) t.fail(`${packetId} was given`)
    inflight.release(packetId)
  }
  t.equal(inflight.size, 1)
})

t.test('all 65,535 can be in use at once', async (t) => {
  const inflight = new Inflight()
  const given = new Set<number>()
  for (let count = 0; count < 65_535; count++) given.add(inflight.reserve(AWAITING_PUBACK, undefined))
  t.equal(given.size, 65_535)
  t.notOk(given.has(0))
  t.equal(inflight.size, 65_535)
  inflight.release(777)
  t.equal(inflight.reserve(AWAITING_PUBACK, undefined), 777, 'the only free one')
})

t.test('in the order of first sending, whatever the identifiers', async (t) => {
  const inflight = new Inflight()
  const packetIds = [5, 3, 8, 1].map((order) => {
    const delivery = deliveryWith(String(order))
    delivery.order = order
    return inflight.reserve(AWAITING_PUBACK, delivery)
  })
  t.same(
    inflight.inOrder().map((packetId) => inflight.deliveryOf(packetId)?.order),
    [1, 3, 5, 8],
  )
  t.same(inflight.inOrder().sort(), packetIds.sort())
})

t.test('behaves as a map of identifiers', async () => {
  const step = fc.record({
    kind: fc.constantFrom('reserve', 'reserve', 'reserve', 'release', 'advance', 'ask'),
    place: fc.nat(1_000),
    keeps: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const inflight = new Inflight()
      const model = new Map<number, { state: number; order: number | undefined }>()
      let order = 0
      for (const { kind, place, keeps } of steps) {
        const packetId = [...model.keys()][place % Math.max(1, model.size)] ?? place
        const known = model.get(packetId)
        switch (kind) {
          case 'reserve': {
            const delivery = keeps ? deliveryWith('x', 2) : undefined
            if (delivery !== undefined) delivery.order = ++order
            const given = inflight.reserve(AWAITING_PUBREC, delivery)
            assert.ok(given > 0 && !model.has(given))
            model.set(given, { state: AWAITING_PUBREC, order: delivery?.order })
            break
          }
          case 'release':
            if (known === undefined) break
            assert.equal(inflight.release(packetId)?.order, known.order)
            model.delete(packetId)
            break
          case 'advance':
            if (known === undefined) break
            inflight.awaitPubcomp(packetId)
            known.state = AWAITING_PUBCOMP
            break
          default:
            assert.equal(inflight.stateOf(place), model.get(place)?.state ?? FREE)
        }
        assert.equal(inflight.size, model.size)
      }
      for (const [packetId, { state, order }] of model) {
        assert.equal(inflight.stateOf(packetId), state)
        assert.equal(inflight.deliveryOf(packetId)?.order, order)
      }
      assert.deepEqual(inflight.inOrder().sort(), [...model.keys()].sort())
    }),
    { numRuns: 200 },
  )
})
