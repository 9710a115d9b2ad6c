import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { BrokerError } from './errors.js'
import { connect, type Remote, serve } from './rpc.js'

interface Api {
  add(a: number, b: number): number
  later(value: string): Promise<string>
  refuse(): void
  failWithSystemError(): void
  failWithText(): void
  never(): Promise<void>
}

const api: Api = {
  add: (a, b) => a + b,
  later: async (value) => value.toUpperCase(),
  refuse() {
    throw new BrokerError('PORT_IN_USE', { address: '127.0.0.1:1883', flag: '--port' })
  },
  failWithSystemError() {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  },
  failWithText() {
    throw 'just text'
  },
  never: () => new Promise(() => {}),
}

function link(t: Test): {
  remote: Remote<Api>
  served: Promise<void>
  die: (cause: Error) => void
  close: () => void
  gone: Promise<never>
} {
  const { port1, port2 } = new MessageChannel()
  let die: (cause: Error) => void = () => {}
  const gone = new Promise<never>((_, reject) => {
    die = reject
  })
  gone.catch(() => {})
  const served = serve(api, port2)
  t.teardown(() => port1.close())
  return { remote: connect<Api>(port1, gone), served, die, close: () => port1.close(), gone }
}

t.test('calls are answered', async (t) => {
  const { remote } = link(t)
  t.equal(await remote.add(1, 2), 3)
  t.equal(await remote.later('a'), 'A')
  t.same(await Promise.all([remote.add(1, 1), remote.later('b'), remote.add(2, 2)]), [2, 'B', 4])
})

t.test('a remote can be the result of an async function', async (t) => {
  const { remote } = link(t)
  const awaited = await Promise.resolve(remote)
  t.equal(await awaited.add(3, 4), 7)
})

t.test('our errors keep code, details, text and reason code', async (t) => {
  const { remote } = link(t)
  const error = await remote.refuse().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  t.ok(error instanceof BrokerError)
  const expected = new BrokerError('PORT_IN_USE', { address: '127.0.0.1:1883', flag: '--port' })
  const { code, details, message, reasonCode, remedy } = expected
  t.match(error, { code, details, message, reasonCode, remedy })
})

t.test('other errors keep message and code', async (t) => {
  const { remote } = link(t)
  await t.rejects(remote.failWithSystemError(), { message: 'no such file', code: 'ENOENT' })
  await t.rejects(remote.failWithText(), { message: 'just text' })
})

t.test('calls in flight end when the other thread has died, and so do later ones', async (t) => {
  const { remote, die } = link(t)
  const calls = [remote.never(), remote.never()]
  die(new Error('killed'))
  for (const call of [...calls, remote.never()]) await t.rejects(call, { message: 'killed' })
})

t.test('serving ends with the port', async (t) => {
  const { served, close } = link(t)
  close()
  await served
})

t.test('calls leave nothing behind with the promise of the death', async (t) => {
  const { port1, port2 } = new MessageChannel()
  void serve(api, port2)
  let reactions = 0
  class Counted extends Promise<never> {
    // biome-ignore lint/suspicious/noThenProperty: counts who waits for the death
    override then<A, B>(
      onFulfilled?: ((value: never) => A | PromiseLike<A>) | null,
      onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      reactions++
      return super.then(onFulfilled, onRejected)
    }
  }
  const remote = connect<Api>(port1, new Counted(() => {}))
  for (let i = 0; i < 50; i++) await remote.add(i, i)
  t.ok(reactions <= 2, `${reactions} reactions for 50 calls`)
  port1.close()
  await once(port2, 'close')
})
