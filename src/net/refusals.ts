/** How a connection ends that is not let in, breaks the protocol or a limit: what is counted, logged, and told to whom. */
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
    if (error.code !== 'BAD_CREDENTIALS') {
      this.#end(connection, error)
      return
    }
    const { suspects, config, clock } = this.resources
    suspects.failed(connection.peer.address)
    if (!connection.peer.isLocal || config.limits.ban.local) {
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
    const { address } = connection.peer
    const key = `${error.code} ${clientId || address}`
    this.clientLog.log('warn', key, `connection closed: ${untold(error)}`, { clientId, address })
    const packet = connection.shard >= 0 ? disconnectOf(connection, error) : connackOf(connection, error)
    if (packet !== undefined) this.send(connection, packet)
    this.close(connection, error.code === 'KEEP_ALIVE_TIMEOUT' ? CloseCause.KEEP_ALIVE : CloseCause.VIOLATION)
  }
}

/** With what a client is not told. */
function untold({ message, cause }: BrokerError): string {
  return typeof cause === 'string' && cause !== message ? `${message}: ${cause}` : message
}

function disconnectOf(connection: Connection, error: BrokerError): Uint8Array | undefined {
  // the shard's CONNACK may still be on its way, and must come before DISCONNECT [MQTT-3.14.0-1]
  if (connection.version !== 5 || !connection.isAccepted) return undefined
  return encodeDisconnect(error.reasonCode, reasonOf(connection, error), connection.maximumPacketBytes)
}

/** For a client that was not admitted; undefined where it has not even sent a CONNECT we understand. */
function connackOf(connection: Connection, error: BrokerError): Uint8Array | undefined {
  if (connection.pendingConnect === undefined && error.code === 'PROTOCOL_ERROR') return undefined
  const connack = { sessionPresent: false, reasonCode: error.reasonCode, ...reasonOf(connection, error) }
  return encodeConnack(connack, connection.version, connection.maximumPacketBytes)
}

function reasonOf({ wantsProblemInformation }: Connection, { message }: BrokerError): { reasonString?: string } {
  return wantsProblemInformation ? { reasonString: message } : {}
}
