/** How a connection ends that is not let in, breaks the protocol or a limit: what is counted, logged, and told to whom. */
import { isLocalAddress } from '../base/address.js'
import { asBrokerError, type BrokerError, type ErrorCode, stackOf } from '../base/errors.js'
import type { RateLimitedLog } from '../base/log-rate.js'
import { endpointOf } from '../contracts/audit.js'
import { Counter, type CounterName } from '../contracts/counters.js'
import { CloseCause } from '../contracts/records.js'
import { encodeConnack, encodeDisconnect } from '../mqtt/control-codec.js'
import { type Connection, ConnectionState } from './connection.js'
import type { ConnectionResources } from './connection-resources.js'
import { DelayedRefusals } from './delayed-refusals.js'

/** What is counted; anything else is an error of the protocol. */
const CLOSE_COUNTERS: ReadonlyMap<ErrorCode, CounterName> = new Map([
  ['MESSAGE_RATE_TOO_HIGH', 'connectionsClosedRate'],
  ['BANNED', 'connectsRefusedBanned'],
  ['BANNED_MEANWHILE', 'connectionsClosedBanned'],
  ['BAD_CREDENTIALS', 'connectionsDenied'],
  ['NOT_AUTHORIZED', 'connectionsDenied'],
])

export class Refusals {
  readonly #delayed: DelayedRefusals

  /**
   * @param send puts a last packet before the end
   * @param close closes the socket after what was sent
   */
  constructor(
    readonly resources: Pick<ConnectionResources, 'audit' | 'clock' | 'config' | 'counters' | 'log' | 'suspects'>,
    readonly clientLog: RateLimitedLog,
    readonly send: (connection: Connection, packet: Uint8Array) => void,
    readonly close: (connection: Connection, cause: CloseCause) => void,
  ) {
    this.#delayed = new DelayedRefusals(resources.counters)
  }

  refuse(connection: Connection, thrown: unknown): void {
    if (connection.state >= ConnectionState.CLOSING) return
    const error = asBrokerError(thrown)
    if (error !== thrown) this.resources.log.error('a connection failed', { error: stackOf(thrown) })
    else if (connection.pendingConnect !== undefined) this.#audit(connection, error)
    const { suspects, config, clock } = this.resources
    const isGuess = error.code === 'BAD_CREDENTIALS'
    if (isGuess || isUnwelcomeStranger(connection, error)) suspects.failed(connection.peer.address)
    if (!isGuess) {
      this.#end(connection, error)
      return
    }
    if (!isLocalAddress(connection.peer.address) || config.limits.ban.local) {
      this.#end(connection, error)
      return
    }
    connection.awaitsAuthenticator = true // nothing more is read: it could guess on
    connection.transport.pause()
    this.#delayed.add(() => this.#end(connection, error), clock.now())
  }

  /** Refuses those whose answers were held back long enough. */
  run(nowMs: number): void {
    this.#delayed.run(nowMs)
  }

  #audit({ pendingConnect, peer }: Connection, error: BrokerError): void {
    this.resources.audit.record({
      kind: 'denial',
      user: pendingConnect?.userName ?? '',
      clientId: pendingConnect?.clientId ?? '',
      address: endpointOf(peer),
      what: 'connect',
      success: false,
      detail: untold(error),
    })
  }

  #end(connection: Connection, error: BrokerError): void {
    if (connection.state >= ConnectionState.CLOSING) return
    this.resources.counters[Counter[CLOSE_COUNTERS.get(error.code) ?? 'protocolErrors']]++
    const { clientId } = connection
    const { address, port } = connection.peer
    const key = `${error.code} ${clientId || address}`
    this.clientLog.log('warn', key, `connection closed: ${untold(error)}`, {
      // of one that was not let in it is what it called itself
      clientId: clientId || (connection.pendingConnect?.clientId ?? ''),
      address,
      port,
    })
    const packet = connection.isAccepted ? disconnectOf(connection, error) : connackOf(connection, error)
    if (packet !== undefined) this.send(connection, packet)
    this.close(connection, error.code === 'KEEP_ALIVE_TIMEOUT' ? CloseCause.KEEP_ALIVE : CloseCause.VIOLATION)
  }
}

/** Has not even tried to log in: whoever does so again and again only costs the broker connections and records. */
function isUnwelcomeStranger({ pendingConnect }: Connection, { code }: BrokerError): boolean {
  if (code !== 'NOT_AUTHORIZED' || pendingConnect === undefined) return false
  const { userName = '', password, authenticationMethod } = pendingConnect
  return userName === '' && (password?.length ?? 0) === 0 && authenticationMethod === undefined
}

/** With what a client is not told. */
function untold({ message, cause }: BrokerError): string {
  return typeof cause === 'string' && cause !== message ? `${message}: ${cause}` : message
}

function disconnectOf(connection: Connection, error: BrokerError): Uint8Array | undefined {
  if (connection.version !== 5) return undefined
  return encodeDisconnect(error.reasonCode, reasonOf(connection, error), connection.maximumPacketBytes)
}

/** For a client that has got no CONNACK; undefined where it has not even sent a CONNECT we understand. */
function connackOf(connection: Connection, error: BrokerError): Uint8Array | undefined {
  if (connection.pendingConnect === undefined && error.code === 'PROTOCOL_ERROR') return undefined
  const connack = { sessionPresent: false, reasonCode: error.reasonCode, ...reasonOf(connection, error) }
  return encodeConnack(connack, connection.version, connection.maximumPacketBytes)
}

function reasonOf({ wantsProblemInformation }: Connection, { message }: BrokerError): { reasonString?: string } {
  return wantsProblemInformation ? { reasonString: message } : {}
}
