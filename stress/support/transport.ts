/** Network connections of all kinds a broker listens on, as one thing that carries bytes. */
import net from 'node:net'
import tls from 'node:tls'
import WebSocket from 'ws'

export interface Target {
  readonly type: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix'
  readonly host: string
  readonly port: number
  /** URL path of a WebSocket, file of a Unix socket. */
  readonly path: string
}

export interface TransportOptions {
  readonly tls?: tls.ConnectionOptions
  /** WebSocket subprotocols to offer. Default `mqtt`. */
  readonly subprotocols?: readonly string[]
}

export interface TransportEvents {
  data(chunk: Uint8Array): void
  /** Once, however the connection came to its end. */
  closed(): void
}

export interface Transport {
  write(data: Uint8Array): void
  /** Ends the connection as if the network had failed: no DISCONNECT, no closing handshake. */
  destroy(): void
  /** Stops reading, so that what the broker sends piles up; `resume` reads on. */
  pause(): void
  resume(): void
  /** The WebSocket below, for tests that look at frames. */
  readonly webSocket?: WebSocket
}

/** @throws what the socket reports when no connection comes about */
export async function openTransport(
  target: Target,
  events: TransportEvents,
  options: TransportOptions = {},
): Promise<Transport> {
  return target.type === 'ws' || target.type === 'wss'
    ? openWebSocket(target, events, options)
    : openStream(target, events, options)
}

async function openStream(target: Target, events: TransportEvents, options: TransportOptions): Promise<Transport> {
  const { host, port } = target
  const socket =
    target.type === 'unix'
      ? net.connect(target.path)
      : target.type === 'tls'
        ? tls.connect({ host, port, rejectUnauthorized: false, ...options.tls })
        : net.connect({ host, port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once(target.type === 'tls' ? 'secureConnect' : 'connect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => socket.destroy()) // a reset is one way to be closed; 'close' follows
  socket.on('data', (chunk) => events.data(chunk))
  socket.once('close', () => events.closed())
  return {
    write: (data) => void (socket.writable && socket.write(data)),
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  }
}

async function openWebSocket(target: Target, events: TransportEvents, options: TransportOptions): Promise<Transport> {
  const url = `${target.type}://${target.host}:${target.port}${target.path}`
  const tlsOptions = target.type === 'wss' ? { rejectUnauthorized: false, ...options.tls } : {}
  const webSocket = new WebSocket(url, [...(options.subprotocols ?? ['mqtt'])], {
    perMessageDeflate: false,
    ...tlsOptions,
  })
  webSocket.binaryType = 'nodebuffer'
  webSocket.on('message', (data) => events.data(data as Buffer))
  await new Promise<void>((resolve, reject) => {
    webSocket.once('open', resolve)
    webSocket.once('error', reject)
  })
  webSocket.on('error', () => webSocket.terminate())
  webSocket.once('close', () => events.closed())
  return {
    write: (data) => void (webSocket.readyState === WebSocket.OPEN && webSocket.send(data, { binary: true })),
    destroy: () => webSocket.terminate(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    webSocket,
  }
}
