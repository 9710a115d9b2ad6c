/** Carries an attack to the broker over a connection of its own. */
import net from 'node:net'
import WebSocket from 'ws'
import type { Target } from '../support/transport.js'
import type { Attack } from './attack.js'

/** Milliseconds within which a broker must have taken everything and closed a connection that its peer has ended. */
const CLOSE_MS = 15_000

/** How the broker took it: `hanging` is a connection that it did not close although its peer has ended it. */
export type Outcome = 'closed' | 'hanging' | 'not admitted'

/** Never rejects: a reset, or a broker that closes first, is an outcome too. */
export function carryOut(attack: Attack, target: Target): Promise<Outcome> {
  return target.type === 'ws' ? overWebSocket(attack, target) : overTcp(attack, target)
}

async function overTcp({ chunks, abrupt }: Attack, { host, port }: Target): Promise<Outcome> {
  const socket = net.connect({ host, port, noDelay: true, allowHalfOpen: true })
  socket.on('error', () => {}) // a reset; 'close' follows
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const connected = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('close', () => resolve(false))
  })
  if (!(await connected)) return 'not admitted'
  socket.resume()
  socket.once('end', () => socket.end())
  for (const chunk of chunks) {
    if (!socket.writable) break
    await new Promise<void>((resolve) => socket.write(chunk, () => resolve()))
  }
  if (abrupt) socket.destroy()
  else socket.end()
  return within(closed, () => socket.destroy())
}

async function overWebSocket({ chunks, abrupt }: Attack, { host, port, path }: Target): Promise<Outcome> {
  const webSocket = new WebSocket(`ws://${host}:${port}${path}`, ['mqtt'], { perMessageDeflate: false })
  webSocket.on('error', () => {})
  const closed = new Promise<void>((resolve) => webSocket.once('close', () => resolve()))
  const opened = new Promise<boolean>((resolve) => {
    webSocket.once('open', () => resolve(true))
    webSocket.once('close', () => resolve(false))
  })
  if (!(await opened)) return 'not admitted'
  for (const chunk of chunks) {
    if (webSocket.readyState !== WebSocket.OPEN) break
    await new Promise<void>((resolve) => webSocket.send(chunk, { binary: true }, () => resolve()))
  }
  if (abrupt) webSocket.terminate()
  else webSocket.close()
  return within(closed, () => webSocket.terminate())
}

async function within(closed: Promise<void>, giveUp: () => void): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve('hanging')
      giveUp()
    }, CLOSE_MS)
    void closed.then(() => {
      clearTimeout(timer)
      resolve('closed')
    })
  })
}
