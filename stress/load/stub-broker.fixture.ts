/** A broker that serves topics without wildcards in MQTT 3.1.1, and makes the mistakes that it is told to make. */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { encodeConnack, encodeSuback } from '../../src/mqtt/control-codec.js'
import { PacketType } from '../../src/mqtt/packets.js'
import { varintBytes } from '../../src/mqtt/varint.js'
import { PacketReader } from './packet-reader.js'

/** What happens to one PUBLISH in fifty. */
export type Mistake = 'none' | 'drop' | 'repeat' | 'swap' | 'stray' | 'noAck' | 'hangUp' | 'garbage' | 'refuse'

export interface StubBroker {
  readonly port: number
  close(): Promise<void>
}

interface Stub {
  readonly mistake: Mistake
  readonly subscribers: Map<string, Duplex>
  published: number
  held: Buffer | undefined
}

const EVERY = 50
const NOT_AUTHORIZED = 0x87

/** @param transport a certificate for TLS, `ws` for WebSocket */
export async function startStubBroker(
  mistake: Mistake = 'none',
  transport: 'tcp' | 'ws' | { readonly key: string; readonly cert: string } = 'tcp',
): Promise<StubBroker> {
  const stub: Stub = { mistake, subscribers: new Map(), published: 0, held: undefined }
  const sockets = new Set<net.Socket>()
  const serve = (stream: Duplex): void => serveClient(stub, stream)
  const server =
    typeof transport === 'object'
      ? tls.createServer(transport, serve)
      : net.createServer(transport === 'tcp' ? serve : undefined)
  if (transport === 'ws') return startWebSocketStub(serve)
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function startWebSocketStub(serve: (stream: Duplex) => void): Promise<StubBroker> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/mqtt', handleProtocols: () => 'mqtt' })
  server.on('connection', (socket) => serve(createWebSocketStream(socket)))
  await new Promise<void>((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () => {
      for (const client of server.clients) client.terminate()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function serveClient(stub: Stub, stream: Duplex): void {
  const reader = new PacketReader({
    onPacket: (firstByte, bytes, start, end) => {
      const body = Buffer.from(bytes.subarray(start, end))
      const whole = Buffer.from(bytes.subarray(start - 1 - varintBytes(end - start), end))
      answer(stub, stream, firstByte, body, whole)
    },
  })
  stream.on('data', (chunk: Buffer) => reader.read(chunk, chunk.length))
  stream.on('error', () => {})
}

function answer(stub: Stub, stream: Duplex, firstByte: number, body: Buffer, whole: Buffer): void {
  switch (firstByte >> 4) {
    case PacketType.CONNECT: {
      const reasonCode = stub.mistake === 'refuse' ? NOT_AUTHORIZED : 0
      stream.write(encodeConnack({ sessionPresent: false, reasonCode }, 4) ?? '')
      break
    }
    case PacketType.SUBSCRIBE: {
      const filter = body.toString('utf8', 4, 4 + body.readUInt16BE(2))
      stub.subscribers.set(filter, stream)
      stream.write(encodeSuback(body.readUInt16BE(0), [body[body.length - 1]], 4) ?? '')
      break
    }
    case PacketType.PUBLISH: {
      const topicEnd = 2 + body.readUInt16BE(0)
      const mistake = ++stub.published % EVERY === 0 ? stub.mistake : 'none'
      const hasPacketId = (firstByte & 6) !== 0
      if (hasPacketId && mistake !== 'noAck') stream.write(Buffer.of(0x40, 2, body[topicEnd], body[topicEnd + 1]))
      forward(stub, mistake, body.toString('utf8', 2, topicEnd), whole)
    }
  }
}

function forward(stub: Stub, mistake: Mistake, topic: string, whole: Buffer): void {
  const subscriber = stub.subscribers.get(topic)
  if (mistake === 'drop') return
  if (mistake === 'swap') {
    stub.held = whole
    setImmediate(() => release(stub, subscriber))
    return
  }
  if (mistake === 'hangUp') subscriber?.destroy()
  if (mistake === 'garbage') subscriber?.write(Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f))
  if (mistake === 'repeat') subscriber?.write(whole)
  if (mistake === 'stray') for (const other of stub.subscribers.values()) if (other !== subscriber) other.write(whole)
  subscriber?.write(whole)
  release(stub, subscriber)
}

/** After the next message, or at the end of what was read where there is none. */
function release(stub: Stub, subscriber: Duplex | undefined): void {
  if (stub.held !== undefined) subscriber?.write(stub.held)
  stub.held = undefined
}
