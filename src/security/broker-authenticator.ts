/**
 * Decides who clients are: by the control token, a client certificate, a token, user name and password, SCRAM, or as
 * nobody where the listener admits that. Whatever is not certain is refused.
 */
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import type { BrokerConfig } from '../config/schema.js'
import type { Identity } from '../contracts/security.js'
import type { Connect } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { type Admission, type Authenticator, type Exchange, type Peer, refused, WRONG } from './authenticator.js'
import { certificateName } from './certificate-name.js'
import { isSameSecret } from './control-token.js'
import type { CredentialsDirectory } from './directory.js'
import { PasswordLogin } from './password-login.js'
import { type VerifyPassword, verifyPassword } from './passwords.js'
import { isScramMechanism } from './scram.js'
import { ScramExchange } from './scram-exchange.js'
import type { JwtConfig } from './token-keys.js'
import { isToken } from './token-text.js'
import type { Tokens } from './tokens.js'
import { ROOT } from './user-name.js'

/** Of old brokers; from this machine alone, and only where the configuration says so. */
const WELL_KNOWN_PASSWORD = 'coreflux'
const LOGINS_WAITING_MAX = 5_000

export interface AuthenticatorParts {
  /** What may change while the broker runs is read each time. */
  readonly config: Pick<BrokerConfig, 'authentication' | 'compat'>
  readonly clock: Clock
  readonly log: Logger
  readonly directory: CredentialsDirectory
  /** Of this start; undefined where there is none. */
  readonly controlToken: string | undefined
  /** Hashes that this thread computes together: all threads share four places. */
  readonly hashesAtOnce: number
  /** For tests. */
  readonly verify?: VerifyPassword
}

export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  return new BrokerAuthenticator(parts)
}

const BUSY: Admission = {
  kind: 'refused',
  reasonCode: ReasonCode.SERVER_BUSY,
  reason: 'too many clients log in at once: try again later',
}
const NOT_READY: Admission = {
  kind: 'refused',
  reasonCode: ReasonCode.SERVER_UNAVAILABLE,
  reason: 'the broker does not know its users yet: try again later',
}

class BrokerAuthenticator implements Authenticator {
  readonly #parts: AuthenticatorParts
  readonly #passwords: PasswordLogin
  readonly #log: RateLimitedLog
  /** Loaded where the configuration admits tokens. */
  #tokens: Promise<Tokens> | undefined
  /** What `#tokens` was made for. */
  #jwt: BrokerConfig['authentication']['jwt']

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts
    const { config, clock, log, directory, hashesAtOnce, verify = verifyPassword } = parts
    this.#log = new RateLimitedLog(log, () => clock.now())
    this.#passwords = new PasswordLogin({
      directory,
      verify,
      rememberedMax: () => config.authentication.rememberedMax,
      atOnce: hashesAtOnce,
      waitingMax: LOGINS_WAITING_MAX,
    })
  }

  admit(connect: Connect, peer: Peer, isAwaited?: () => boolean): Promise<Admission> | Admission {
    const admission = this.#decide(connect, peer, isAwaited)
    return admission instanceof Promise
      ? admission.then((late) => this.#unlessUnreadable(late))
      : this.#unlessUnreadable(admission)
  }

  /** Certificates, tokens and listeners name users without asking what is kept of them. */
  #unlessUnreadable(admission: Admission): Admission {
    if (admission.kind === 'refused' || admission.userName === undefined) return admission
    const user = this.#parts.directory.get(admission.userName)
    return user?.isUnreadable === true ? refused('what the broker keeps of this user is damaged') : admission
  }

  #decide(connect: Connect, peer: Peer, isAwaited?: () => boolean): Promise<Admission> | Admission {
    if (!this.#parts.directory.isReady) return NOT_READY
    const userName = connect.userName === '' ? undefined : connect.userName
    const password = connect.password === undefined || connect.password.length === 0 ? undefined : connect.password
    if (this.#isControl(userName, password, peer)) return admitted(ROOT)
    const certificate = certificateName(peer)
    if (certificate.kind === 'refused') return refused(certificate.reason)
    if (certificate.kind === 'user') {
      const isSame = userName === undefined || userName === certificate.userName
      return isSame ? admitted(certificate.userName) : refused('the client certificate belongs to another user')
    }
    if (password === undefined) return userName === undefined ? this.#anonymous(peer) : WRONG
    const tokens = this.#currentTokens()
    if (tokens !== undefined && isToken(password)) return this.#byToken(tokens, userName, password)
    if (userName === undefined) return WRONG
    if (this.#isWellKnown(userName, password, peer)) return admitted(ROOT)
    const verdict = this.#passwords.check(userName, password, isAwaited)
    return typeof verdict === 'string' ? outcome(verdict, userName) : verdict.then((late) => outcome(late, userName))
  }

  begin(mechanism: string, connect: Connect, peer: Peer, current?: Pick<Identity, 'userName'>): Exchange | undefined {
    const { config, directory } = this.#parts
    const { scram, scramIterations } = config.authentication
    if (!isScramMechanism(mechanism) || !scram.includes(mechanism)) return undefined
    if (!directory.isReady) return { step: async () => NOT_READY }
    const certificate = certificateName(peer)
    if (certificate.kind === 'refused') return { step: async () => refused(certificate.reason) }
    const named = [
      current?.userName,
      connect.userName === '' ? undefined : connect.userName,
      certificate.kind === 'user' ? certificate.userName : undefined,
    ].filter((name) => name !== undefined)
    if (new Set(named).size > 1) return { step: async () => refused('this connection belongs to another user') }
    return new ScramExchange({ mechanism, directory, iterations: scramIterations, userName: named[0] })
  }

  #anonymous({ anonymous: who, anonymousUser, isLocal, listener }: Peer): Admission {
    const isWelcome = who === 'allow' || (who === 'local' && isLocal)
    // the configuration refuses such a listener; an address that is translated on the way must not open it
    if (!isWelcome || (anonymousUser === ROOT && !isLocal)) return refused('a user name is needed')
    if (anonymousUser === undefined || anonymousUser === ROOT) return admitted(anonymousUser)
    if (this.#parts.directory.get(anonymousUser) !== undefined) return admitted(anonymousUser)
    // as nobody it might do more than as the user that was removed
    this.#log.log('warn', `no ${anonymousUser}`, 'clients without a user name are refused: there is no such user', {
      listener,
      anonymousUser,
      remedy: 'make the user again (merlot user add NAME), or take "anonymousUser" of the listener away',
    })
    return refused('the user that stands for clients without a user name does not exist')
  }

  #isControl(userName: string | undefined, password: Uint8Array | undefined, peer: Peer): boolean {
    const { controlToken } = this.#parts
    if (userName !== ROOT || password === undefined || controlToken === undefined || !peer.isLocal) return false
    return isSameSecret(password, controlToken)
  }

  #isWellKnown(userName: string, password: Uint8Array, peer: Peer): boolean {
    const { authentication, compat } = this.#parts.config
    if (!authentication.wellKnownRootPassword || compat !== 'v1' || userName !== ROOT || !peer.isLocal) return false
    if (!isSameSecret(password, WELL_KNOWN_PASSWORD)) return false
    this.#log.log('warn', 'well-known password', `a client is ${ROOT} by the password that everybody knows`, {
      address: peer.address,
      remedy: 'switch authentication.wellKnownRootPassword off, and give clients users of their own',
    })
    return true
  }

  async #byToken(tokens: Promise<Tokens>, userName: string | undefined, password: Uint8Array): Promise<Admission> {
    const login = await (await tokens).login(password)
    if (typeof login === 'string') return { ...WRONG, reason: login }
    if (userName !== undefined && userName !== login.userName)
      return { ...WRONG, reason: 'the token is of another user' }
    return { kind: 'admitted', ...login }
  }

  /** Made again when the configuration has changed. */
  #currentTokens(): Promise<Tokens> | undefined {
    const { jwt } = this.#parts.config.authentication
    if (jwt !== this.#jwt) {
      this.#jwt = jwt
      this.#tokens = jwt && this.#loadTokens(jwt)
    }
    return this.#tokens
  }

  async #loadTokens(jwt: JwtConfig): Promise<Tokens> {
    const { clock } = this.#parts
    const onProblem = (reason: string): void => this.#log.log('error', reason, 'keys of tokens', { reason })
    const { Tokens } = await import('./tokens.js')
    return new Tokens(jwt, { now: () => clock.now(), onProblem, fetch })
  }
}

function outcome(verdict: 'right' | 'wrong' | 'busy', userName: string): Admission {
  if (verdict === 'right') return admitted(userName)
  return verdict === 'busy' ? BUSY : WRONG
}

function admitted(userName: string | undefined): Admission {
  return { kind: 'admitted', userName }
}
