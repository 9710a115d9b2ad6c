import t from 'tap'
import { createTicketSecret, renewTicketSecret, TicketSecret } from './ticket-keys.js'

t.test('all who have the memory read the same, until it is renewed', async (t) => {
  const memory = createTicketSecret()
  const [one, other] = [new TicketSecret(memory), new TicketSecret(memory)]
  const first = one.read()
  t.equal(first.length, 32)
  t.same(other.read(), first)
  t.not(Buffer.from(first).toString('hex'), Buffer.alloc(32).toString('hex'))
  const generation = one.generation
  renewTicketSecret(memory)
  t.not(one.generation, generation)
  t.notSame(one.read(), first)
  t.same(other.read(), one.read())
  t.notSame(new TicketSecret(createTicketSecret()).read(), one.read(), 'another broker')
})
