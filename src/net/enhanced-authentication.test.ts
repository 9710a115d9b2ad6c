import t from 'tap'
import { CloseCause, type ConnectRequest } from '../contracts/records.js'
import { encodeClientAuth } from '../mqtt/client-codec.js'
import type { Connect } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import type { Authenticator, Exchange, ExchangeStep } from '../security/authenticator.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'
import type { FakeTransport } from './transport.fixture.js'

const METHOD = 'TOY'
const { CONTINUE_AUTHENTICATION, RE_AUTHENTICATE } = ReasonCode

/** Wants the client's text twice more, each time with an exclamation mark. `no` is refused, `crash` fails. */
class ToyExchange implements Exchange {
  #step = 0
  constructor(readonly clientId: string) {}

  async step(data: Uint8Array | undefined): Promise<ExchangeStep> {
    const text = Buffer.from(data ?? []).toString()
    if (text === 'no') return { kind: 'refused', reasonCode: ReasonCode.NOT_AUTHORIZED, reason: 'it said no' }
    if (text === 'crash') throw new Error('crash')
    if (this.#step++ < 2) return { kind: 'continue', data: Buffer.from(`${text}!`) }
    return { kind: 'admitted', userName: `toy ${this.clientId}`, data: Buffer.from('welcome') }
  }
}

const toy: Authenticator = {
  admit: () => ({ kind: 'admitted', userName: undefined }),
  begin: (method, { clientId }) => (method === METHOD ? new ToyExchange(clientId) : undefined),
}

function authPacket(
  text: string,
  reasonCode: number = CONTINUE_AUTHENTICATION,
  authenticationMethod = METHOD,
): Uint8Array {
  const authenticationData = Buffer.from(text)
  return encodeClientAuth({
    kind: 'auth',
    reasonCode,
    authenticationMethod,
    authenticationData,
    reasonString: undefined,
    userProperties: [],
  })
}

/** Lets the mechanism take its step. */
async function step(): Promise<void> {
  await new Promise(setImmediate)
}

async function begin(connect: Partial<Connect> = {}): Promise<{ broker: ThreadFixture; transport: FakeTransport }> {
  const broker = new ThreadFixture({ authenticator: toy })
  const transport = broker.accept()
  transport.receive(
    connectPacket({
      clientId: 'ann',
      authenticationMethod: METHOD,
      authenticationData: Buffer.from('one'),
      ...connect,
    }),
  )
  await step()
  return { broker, transport }
}

/** Through all steps. */
async function connected(): Promise<{ broker: ThreadFixture; transport: FakeTransport }> {
  const { broker, transport } = await begin()
  for (const text of ['two', 'three']) {
    transport.receive(authPacket(text))
    await step()
  }
  broker.takeRecords()
  broker.acceptClient(0)
  transport.take()
  return { broker, transport }
}

function auth(reasonCode: number, text: string) {
  return { kind: 'auth', reasonCode, authenticationMethod: METHOD, authenticationData: Buffer.from(text) }
}

t.test('CONNECT, AUTH back and forth, then the shard is asked', async (t) => {
  const { broker, transport } = await begin()
  t.match(transport.takePackets(5), [auth(0x18, 'one!')])
  transport.receive(authPacket('two'))
  await step()
  t.match(transport.takePackets(5), [auth(0x18, 'two!')])
  t.same(broker.takeRecords(), [], 'no session has heard of it')
  transport.receive(authPacket('three'), Uint8Array.of(0xc0, 0))
  await step()
  const [connect, ...others] = broker.takeRecords()
  const request: ConnectRequest = JSON.parse(connect.slice(connect.indexOf('{')))
  t.match(request, {
    clientId: 'ann',
    userName: 'toy ann',
    authenticationMethod: METHOD,
    authenticationData: Buffer.from('welcome').toString('base64'),
  })
  t.same(others, [])
  t.same(transport.take(), Buffer.alloc(0), 'CONNACK is for the shard to send')
  broker.acceptClient(0)
  t.same(broker.takeRecords(), ['0 control 12 c000'])
})

t.test('refused, at once or later', async (t) => {
  const { broker, transport } = await begin({ authenticationData: Buffer.from('no') })
  t.match(transport.takePackets(5), [{ kind: 'connack', reasonCode: 0x87 }])
  t.ok(transport.isEnding)
  t.same(broker.takeRecords(), [])

  const later = await begin()
  later.transport.take()
  later.transport.receive(authPacket('no'))
  await step()
  t.match(later.transport.takePackets(5), [{ kind: 'connack', reasonCode: 0x87 }])
  t.same(later.broker.takeRecords(), [])

  const failed = await begin({ authenticationData: Buffer.from('crash') })
  t.match(failed.transport.takePackets(5), [{ kind: 'connack', reasonCode: 0x83 }])
})

t.test('while it goes on, the client sends AUTH with its method and nothing else', async (t) => {
  const cases: [title: string, bytes: Uint8Array][] = [
    ['another method', authPacket('two', CONTINUE_AUTHENTICATION, 'OTHER')],
    ['re-authentication', authPacket('two', RE_AUTHENTICATE)],
    ['PINGREQ', Uint8Array.of(0xc0, 0)],
    ['a second CONNECT', connectPacket({ clientId: 'ann' })],
  ]
  for (const [title, bytes] of cases) {
    const { broker, transport } = await begin()
    transport.take()
    transport.receive(bytes)
    await step()
    t.match(transport.takePackets(5), [{ kind: 'connack', reasonCode: 0x82 }], title)
    t.ok(transport.isEnding, title)
    t.same(broker.takeRecords(), [], title)
  }
})

t.test('DISCONNECT while it goes on ends the connection, and harms no other', async (t) => {
  const { broker, transport } = await begin()
  transport.take()
  transport.receive(Uint8Array.of(0xe0, 0))
  t.same(transport.take(), Buffer.alloc(0))
  t.ok(transport.isEnding)
  transport.close()
  t.same(broker.logged, [])
  t.same(broker.takeRecords(), [], 'no session has heard of it')
  const other = broker.connect(0, { clientId: 'bob' })
  other.receive(Uint8Array.of(0xc0, 0))
  t.same(broker.takeRecords(), ['0 control 12 c000'])
})

t.test('re-authentication', async (t) => {
  const { broker, transport } = await connected()
  transport.receive(authPacket('one', RE_AUTHENTICATE), Uint8Array.of(0xc0, 0))
  await step()
  t.match(transport.takePackets(5), [auth(0x18, 'one!')])
  t.same(broker.takeRecords(), ['0 control 12 c000'], 'other packets go on')
  for (const text of ['two', 'three']) {
    transport.receive(authPacket(text))
    await step()
  }
  t.match(transport.takePackets(5), [auth(0x18, 'two!'), auth(0x00, 'welcome')])
  t.same(broker.takeRecords(), ['0 claims {}'], 'the session is told what its token says now')
  transport.receive(authPacket('again', RE_AUTHENTICATE))
  await step()
  t.match(transport.takePackets(5), [auth(0x18, 'again!')], 'as often as it likes')
})

t.test('re-authentication that fails ends the connection', async (t) => {
  const cases: [title: string, bytes: Uint8Array, reasonCode: number][] = [
    ['refused', authPacket('no', RE_AUTHENTICATE), 0x87],
    ['another method', authPacket('one', RE_AUTHENTICATE, 'OTHER'), 0x82],
    ['nothing to continue', authPacket('one', CONTINUE_AUTHENTICATION), 0x82],
  ]
  for (const [title, bytes, reasonCode] of cases) {
    const { broker, transport } = await connected()
    transport.receive(bytes)
    await step()
    t.match(transport.takePackets(5), [{ kind: 'disconnect', reasonCode }], title)
    transport.close()
    t.same(broker.takeRecords(), [`0 closed ${CloseCause.VIOLATION}`], title)
  }
})

t.test('AUTH from a client that connected without a method', async (t) => {
  const broker = new ThreadFixture({ authenticator: toy })
  const transport = broker.connect(0)
  transport.receive(authPacket('one', RE_AUTHENTICATE))
  t.match(transport.takePackets(5), [{ kind: 'disconnect', reasonCode: 0x82 }])
})

t.test('a client that never answers is closed as one without CONNECT', async (t) => {
  const { broker, transport } = await begin()
  broker.advance(9_999)
  t.notOk(transport.isClosed)
  broker.advance(1)
  t.ok(transport.isClosed)
  t.equal(broker.count('connectTimeouts'), 1)
})
