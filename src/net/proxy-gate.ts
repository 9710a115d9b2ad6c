/** Before a listener that is reached through proxies: takes the header off each connection, and tells whose it is. */
import type { Socket } from 'node:net'
import { type AddressRange, canonicalAddress, isWithin, parseAddressRange } from '../base/address.js'
import { type ProxyHeader, readProxyHeader } from './proxy-header.js'
import type { Reading } from './stream-transport.js'

/** A proxy sends its header with the first bytes. */
const HEADER_MS_MAX = 3_000
/** Connections whose header has not come yet. */
const WAITING_MAX = 1_000

export class ProxyGate {
  readonly #trusted: readonly AddressRange[]
  /** And when they came, oldest first. */
  readonly #waiting = new Map<Socket, number>()

  /** @param trusted addresses and networks of proxies */
  constructor(trusted: readonly string[]) {
    this.#trusted = trusted.map(parseAddressRange).filter((range) => range !== undefined)
  }

  /**
   * Reads the header of a connection that has just been accepted.
   * @param passed is called once where it comes, with what the client has sent behind it
   * @param refused is called once where it does not, before the socket is destroyed
   */
  read(
    reading: Reading,
    nowMs: number,
    passed: (header: ProxyHeader, rest: Buffer) => void,
    refused: (reason: string) => void,
  ): void {
    const { socket } = reading
    const problem = !this.#trusts(canonicalAddress(socket.remoteAddress ?? ''))
      ? 'proxyProtocol.trusted does not name its address'
      : this.#waiting.size >= WAITING_MAX
        ? `${WAITING_MAX} others have not sent their PROXY header yet`
        : undefined
    if (problem !== undefined) {
      refused(problem)
      socket.destroy()
      return
    }
    this.#waiting.set(socket, nowMs)
    socket.on('close', () => this.#waiting.delete(socket))
    let collected: Buffer = Buffer.alloc(0)
    reading.onData = (bytes, length) => {
      // copied: the memory is that of others after this call
      collected = Buffer.concat([collected, bytes.subarray(0, length)])
      const result = readProxyHeader(collected)
      if (result.kind === 'incomplete') return
      this.#waiting.delete(socket)
      reading.onData = ignored
      if (result.kind === 'complete') {
        passed(result.header, collected.subarray(result.bytes))
        return
      }
      refused(`its PROXY header is not valid: ${result.reason}`)
      socket.destroy()
    }
  }

  /** Closes connections whose header is late. @returns how many */
  closeLate(nowMs: number): number {
    let closed = 0
    for (const [socket, sinceMs] of this.#waiting) {
      if (nowMs - sinceMs < HEADER_MS_MAX) break
      this.#waiting.delete(socket)
      socket.destroy()
      closed++
    }
    return closed
  }

  #trusts(address: string): boolean {
    const peer = parseAddressRange(address)
    return peer !== undefined && this.#trusted.some((range) => isWithin(peer, range))
  }
}

function ignored(): void {}
