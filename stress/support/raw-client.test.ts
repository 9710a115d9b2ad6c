/** The test client against a server that follows a script, to see that it notices what it should. */
import net, { type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { propertyBlock } from './properties.js'
import { type ClientOptions, RawClient } from './raw-client.js'
import { bytes, packet, prefixed, uint16 } from './wire.js'

const CONNACK = packet(2, 0, [0, 0, 0])
const PINGRESP = packet(13, 0)
const surroundings = { settle: async () => {}, passTime: async () => {}, strict: true }

function publish(text: string, qos = 0, packetId = 1, properties = {}): Uint8Array {
  return packet(3, qos << 1, prefixed('a'), qos > 0 ? uint16(packetId) : '', propertyBlock(properties), text)
}

interface ServeOptions {
  readonly acknowledge?: ClientOptions['acknowledge']
  readonly onData?: (data: Uint8Array) => void
}

/** A server that answers the first packet by these bytes, every later one by the next, and then closes if asked to. */
async function serve(t: Test, answers: readonly Uint8Array[], close = false, options: ServeOptions = {}) {
  const { acknowledge, onData } = options
  const server = net.createServer((socket) => {
    const left = [...answers]
    socket.on('error', () => {})
    socket.on('data', (data) => {
      onData?.(data)
      const answer = left.shift()
      if (answer) socket.write(answer)
      if (left.length === 0 && close) socket.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = await RawClient.open({ type: 'tcp', host: '127.0.0.1', port, path: '' }, surroundings, { acknowledge })
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  return client
}

t.test('takes packets in order and tells what came instead', async (t) => {
  const client = await serve(t, [bytes(CONNACK, publish('one'), publish('two'))])
  await client.connect()
  t.equal((await client.expectMessage('one')).topic, 'a')
  await t.rejects(client.expectMessage('three'), { message: /three.*two/ })
})

t.test('notices that something came, and that the connection was closed', async (t) => {
  const client = await serve(t, [bytes(CONNACK, publish('one'))], true)
  await client.connect()
  await t.rejects(client.expectNothing(), { message: /expected nothing.*"a"/ })
  await t.rejects(client.expectClosed(), { message: /to be closed.*publish/ })
  await client.expectClosed()
  await t.rejects(client.expectNothing(), { message: /closed/ })
  await t.rejects(client.expectPacket('publish'), { message: /connection closed/ })
})

t.test('insists on the right reason code, and on the closing behind it', async (t) => {
  const disconnect = (code: number) => packet(14, 0, [code])
  const right = await serve(t, [bytes(CONNACK, disconnect(0x82))], true)
  await right.connect()
  await right.expectDisconnect(0x81, 0x82)
  const wrong = await serve(t, [bytes(CONNACK, disconnect(0x82))], true)
  await wrong.connect()
  await t.rejects(wrong.expectDisconnect(0x81), { message: /0x81/ })
  const silent = await serve(t, [CONNACK], true)
  await silent.connect()
  await t.rejects(silent.expectDisconnect(), { message: /connection closed/ })
  const accepted = await serve(t, [CONNACK], true)
  accepted.sendConnect()
  await t.rejects(accepted.expectRefused(), { message: /to be refused/ })
})

t.test('acknowledges by itself and finds answers behind other packets', async (t) => {
  const sent: Uint8Array[] = []
  const answers = [bytes(CONNACK, publish('one', 1, 5)), bytes(publish('two'), PINGRESP)]
  const client = await serve(t, answers, false, { onData: (data) => sent.push(data) })
  await client.connect()
  await client.expectMessage('one')
  await client.ping()
  await client.expectMessage('two')
  t.match(Buffer.concat(sent).toString('hex'), /40020005/)
  t.equal(client.messages.length, 2)
})

/** Packets after CONNACK that break a rule from packet to packet. */
const MISCONDUCT: readonly (readonly [statement: string, ...packets: readonly Uint8Array[]])[] = [
  ['MQTT-3.2.0-2', CONNACK],
  ['MQTT-3.14.4-1', packet(14, 0), publish('x')],
  ['MQTT-3.1.2-24', publish('x'.repeat(100))],
  ['MQTT-3.1.2-26', publish('x', 0, 0, { topicAlias: 2 })],
  ['MQTT-3.1.2-29', packet(4, 0, uint16(1), [0], propertyBlock({ reasonString: 'x' }))],
  ['MQTT-2.2.1-4', publish('x', 1, 3), publish('y', 2, 3)],
  ['MQTT-3.3.4-9', publish('x', 1, 1), publish('y', 2, 2), publish('z', 1, 3)],
]

t.test('notices what a broker must not do', async (t) => {
  for (const [statement, ...packets] of MISCONDUCT) {
    const client = await serve(t, [bytes(CONNACK, ...packets)], false, { acknowledge: 'by hand' })
    const limits = { maximumPacketSize: 60, receiveMaximum: 2, topicAliasMaximum: 1, requestProblemInformation: 0 }
    client.sendConnect({ properties: limits })
    await t.rejects(client.takePacket('auth'), { name: 'ConductError', message: new RegExp(statement) })
    t.throws(() => client.checkConduct(), { name: 'ConductError' })
  }
  const early = await serve(t, [publish('x')])
  early.sendConnect()
  await t.rejects(early.expectPacket('publish'), { message: /MQTT-3.2.0-1/ })
})
