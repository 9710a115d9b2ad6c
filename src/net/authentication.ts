/**
 * CONNECT and AUTH until a client is admitted, and AUTH when it authenticates again (§3.1, §4.12). A shard hears of the
 * client when this is done.
 */
import { BrokerError } from '../base/errors.js'
import { encodeAuth } from '../mqtt/control-codec.js'
import type { Auth, Connect } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import type { Admission, Authenticator, ExchangeStep } from '../security/authenticator.js'
import { type Connection, ConnectionState } from './connection.js'

export type Admitted = Extract<Admission, { kind: 'admitted' }>

export interface AuthenticationEvents {
  send(connection: Connection, packet: Uint8Array): void
  /** The client may have a session. @throws BrokerError */
  admitted(connection: Connection, connect: Connect, admission: Admitted): void
  /** A connected client has proved again who it is. */
  renewed(connection: Connection, admission: Admitted): void
  /** It was not let in, or broke the protocol. */
  refused(connection: Connection, thrown: unknown): void
  /** An answer was awaited and is there: reading goes on. */
  resumed(connection: Connection): void
}

export class Authentication {
  constructor(
    readonly authenticator: Authenticator,
    readonly events: AuthenticationEvents,
  ) {}

  /** CONNECT has come. @throws BrokerError */
  begin(connection: Connection, connect: Connect): void {
    const { peer } = connection
    connection.pendingConnect = connect
    const method = connect.authenticationMethod
    if (method === undefined) {
      this.#await(
        connection,
        this.authenticator.admit(connect, peer, () => connection.state < ConnectionState.CLOSING),
      )
      return
    }
    connection.exchange = this.authenticator.begin(method, connect, peer)
    if (connection.exchange === undefined) throw new BrokerError('BAD_AUTHENTICATION_METHOD', { method })
    this.#await(connection, connection.exchange.step(connect.authenticationData))
  }

  /** AUTH has come: the next step, or a new authentication of a client that is connected. @throws BrokerError */
  proceed(connection: Connection, auth: Auth): void {
    const { exchange, peer, lastConnect } = connection
    const method = connection.pendingConnect?.authenticationMethod ?? connection.authenticationMethod
    if (method === undefined || auth.authenticationMethod !== method) {
      throw new BrokerError('PROTOCOL_ERROR', { reason: 'AUTH without the authentication method of CONNECT' })
    }
    const isNew = auth.reasonCode === ReasonCode.RE_AUTHENTICATE
    if (isNew === (exchange !== undefined)) {
      throw new BrokerError('PROTOCOL_ERROR', { reason: 'AUTH that does not continue or begin an authentication' })
    }
    const { userName } = connection
    connection.exchange ??= lastConnect && this.authenticator.begin(method, lastConnect, peer, { userName })
    if (connection.exchange === undefined) throw new BrokerError('BAD_AUTHENTICATION_METHOD', { method })
    this.#await(connection, connection.exchange.step(auth.authenticationData))
  }

  #await(connection: Connection, outcome: Promise<ExchangeStep> | ExchangeStep): void {
    if (!(outcome instanceof Promise)) {
      this.#take(connection, outcome)
      return
    }
    connection.awaitsAuthenticator = true // read on until it sends more: a paused socket would not tell that it has gone
    outcome.then(
      (step) => this.#takeLater(connection, step),
      (thrown: unknown) => this.events.refused(connection, thrown),
    )
  }

  #takeLater(connection: Connection, step: ExchangeStep): void {
    if (connection.state >= ConnectionState.CLOSING) return
    connection.awaitsAuthenticator = false
    try {
      this.#take(connection, step)
    } catch (thrown) {
      this.events.refused(connection, thrown)
      return
    }
    this.events.resumed(connection)
  }

  #take(connection: Connection, step: ExchangeStep): void {
    switch (step.kind) {
      case 'refused':
        throw refusal(step)
      case 'continue':
        this.#send(connection, ReasonCode.CONTINUE_AUTHENTICATION, step.data)
        if (connection.shard < 0) connection.state = ConnectionState.AUTHENTICATING
        return
      case 'admitted':
        this.#admit(connection, step)
    }
  }

  #admit(connection: Connection, admission: Admitted): void {
    const connect = connection.pendingConnect
    connection.exchange = undefined
    connection.userName = admission.userName
    if (connect === undefined) {
      this.#send(connection, ReasonCode.SUCCESS, admission.data)
      this.events.renewed(connection, admission)
      return
    }
    if (connect.authenticationMethod !== undefined) connection.lastConnect = { ...connect, will: undefined }
    this.events.admitted(connection, connect, admission)
    connection.pendingConnect = undefined
  }

  #send(connection: Connection, reasonCode: ReasonCode, authenticationData: Uint8Array | undefined): void {
    const authenticationMethod =
      connection.pendingConnect?.authenticationMethod ?? connection.authenticationMethod ?? ''
    const reply = { reasonCode, authenticationMethod, authenticationData }
    const packet = encodeAuth(reply, connection.maximumPacketBytes)
    if (packet !== undefined) this.events.send(connection, packet)
  }
}

function refusal({ reasonCode, reason }: Extract<Admission, { kind: 'refused' }>): BrokerError {
  switch (reasonCode) {
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
      return new BrokerError('BAD_CREDENTIALS', {}, { cause: reason }) // for the log: a client is not told more
    case ReasonCode.SERVER_BUSY:
      return new BrokerError('SERVER_BUSY', { reason })
    case ReasonCode.BANNED:
      return new BrokerError('BANNED', { reason })
    default:
      return new BrokerError('NOT_AUTHORIZED', { reason })
  }
}
