/** The TLS of one listener: handshakes, certificates of clients, and certificates of its own that change while it runs. */
import type { Socket } from 'node:net'
import {
  createSecureContext,
  createServer,
  type DetailedPeerCertificate,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { BrokerError, messageOf } from '../base/errors.js'
import type { RateLimitedLog } from '../base/log-rate.js'
import type { SharedCounts } from '../base/shared-counts.js'
import { systemCode } from '../base/system-error.js'
import type { Tls } from '../config/listener-tls.js'
import type { TicketSecret } from '../contracts/ticket-keys.js'
import type { ClientCertificate } from '../security/authenticator.js'
import { FileChanges } from './file-changes.js'
import { readPeerCertificate } from './peer-certificate.js'
import type { Source, TlsDetails } from './peer-details.js'
import {
  contextOptions,
  needsRootCheck,
  readTlsMaterial,
  sessionScope,
  type TlsMaterial,
  tlsFilesOf,
} from './tls-files.js'

/** Milliseconds between looks at the files; a change is taken over at the second look that finds it. */
const LOOK_MS = 2_000
/** What OpenSSL says of a client that begins with anything else. */
const NOT_TLS: ReadonlySet<string> = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_HTTP_REQUEST'])
/** Certificates from that of a client to its authority. */
const CHAIN_MAX = 20

export interface TlsServerOptions {
  /** For messages: `tls 0.0.0.0:8883`. */
  readonly name: string
  readonly tls: Tls
  /** What clients may ask for in the handshake (ALPN); one that asks for other protocols alone is refused. */
  readonly protocol: 'mqtt' | 'http/1.1'
  readonly handshakeMsMax: number
  readonly tickets: TicketSecret
  /** Handshakes under way in all connection threads, by the name of the listener. */
  readonly handshakes: SharedCounts
  readonly log: RateLimitedLog
  /** A handshake has failed, or its client was refused. */
  failed(): void
  /** @param carrier the accepted socket below the TLS socket */
  secured(
    socket: TLSSocket,
    carrier: Socket,
    source: Source,
    tls: TlsDetails,
    certificate: ClientCertificate | undefined,
  ): void
}

interface Handshake {
  readonly carrier: Socket
  readonly source: Source
}

export class TlsServer {
  readonly #server: Server
  readonly #files: FileChanges
  /** By the address of the peer: a TLS socket does not tell which socket it runs over. */
  readonly #underWay = new Map<string, Handshake>()
  /** By the accepted socket, for when its TLS socket has no address any more. */
  readonly #sources = new WeakMap<Socket, Source>()
  #material: TlsMaterial
  #generation = 0
  #byName = new Map<string, SecureContext>()
  #authorities: ReadonlySet<string> = new Set()
  /** By certificate in base64. */
  #ocsp = new Map<string, Buffer>()
  #lookedMs = Number.NEGATIVE_INFINITY

  /** @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID */
  constructor(readonly options: TlsServerOptions) {
    const { tls, protocol, handshakeMsMax } = options
    this.#files = new FileChanges(tlsFilesOf(tls))
    this.#material = readTlsMaterial(tls)
    this.#server = createServer({
      requestCert: tls.clientCertificate !== 'none',
      rejectUnauthorized: tls.clientCertificate === 'required',
      ALPNProtocols: [protocol],
      handshakeTimeout: handshakeMsMax,
      SNICallback: (serverName, callback) => callback(null, this.#contextOf(serverName)),
    })
    this.#server.on('secureConnection', (socket) => this.#secured(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket))
    this.#server.on('OCSPRequest', (certificate, _issuer, callback) => {
      callback(null, this.#ocsp.get(certificate.toString('base64')) ?? (null as never))
    })
    this.#install(this.#material)
  }

  /** @returns false where too many handshakes are under way */
  begin(carrier: Socket, source: Source): boolean {
    const { name, tls, handshakes } = this.options
    const key = peerKey(carrier)
    if ((handshakes.add(name, 1) ?? this.#underWay.size + 1) > tls.handshakesMax) {
      handshakes.add(name, -1)
      return false
    }
    const handshake = { carrier, source }
    if (this.#underWay.has(key)) this.#forget(key) // of a peer that has gone: the system gives its port again
    this.#underWay.set(key, handshake)
    this.#sources.set(carrier, source)
    carrier.on('close', () => {
      if (this.#underWay.get(key) === handshake) this.#forget(key)
    })
    this.#server.emit('connection', carrier)
    return true
  }

  /** Reads the files again, for handshakes from now on. What was in force stays so where that fails. @returns why it failed */
  reload(): BrokerError | undefined {
    const { name, tls, log } = this.options
    this.#files.markKnown()
    try {
      this.#install(readTlsMaterial(tls))
      log.log('info', `tls ${name}`, 'certificates read again; they hold for connections from now on', {
        listener: name,
      })
      return undefined
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) throw thrown
      const { message, remedy } = thrown
      log.log('error', `tls ${name}`, `certificates stay as they were: ${message}`, { listener: name, remedy })
      return thrown
    }
  }

  /** Looks whether the files have changed, and whether tickets want other keys. @param nowMs never goes back */
  tick(nowMs: number): void {
    if (this.options.tickets.generation !== this.#generation) this.#install(this.#material)
    if (nowMs - this.#lookedMs < LOOK_MS) return
    this.#lookedMs = nowMs
    if (this.#files.hasSettledChange()) this.reload()
  }

  /** @throws BrokerError CERTIFICATE_INVALID; nothing has changed then */
  #install(material: TlsMaterial): void {
    const { name, tls, tickets } = this.options
    const generation = tickets.generation
    const secret = tickets.read()
    const scope = sessionScope(name, tls, material)
    const byName = new Map<string, SecureContext>()
    const optionsFor = (certificate: TlsMaterial['certificate']) =>
      contextOptions(tls, material, certificate, scope, secret)
    try {
      for (const { serverName, certificate } of material.names) {
        byName.set(serverName, createSecureContext(optionsFor(certificate)))
      }
      this.#server.setSecureContext(optionsFor(material.certificate))
    } catch (cause) {
      const { path } = material.certificate
      throw new BrokerError('CERTIFICATE_INVALID', { path, reason: messageOf(cause) }, { cause })
    }
    const certificates = [material.certificate, ...material.names.map(({ certificate }) => certificate)]
    this.#ocsp = new Map(
      certificates.flatMap(({ leaf, ocsp }) =>
        leaf === undefined || ocsp === undefined ? [] : [[leaf.raw.toString('base64'), ocsp]],
      ),
    )
    this.#authorities = new Set(material.trust.authorities.map(({ fingerprint256 }) => fingerprint256))
    this.#byName = byName
    this.#generation = generation
    this.#material = material
  }

  /** @returns undefined for the certificate that is not bound to a name */
  #contextOf(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase()
    return this.#byName.get(name) ?? this.#byName.get(`*${name.slice(name.indexOf('.'))}`)
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', ignored) // 'close' follows
    const handshake = this.#finished(socket)
    if (handshake === undefined) {
      socket.destroy()
      return
    }
    const { carrier, source } = handshake
    const certificate = this.#certificateOf(socket)
    if (typeof certificate === 'string') {
      this.#refuse(socket, source.address, certificate)
      return
    }
    const { name: cipher } = socket.getCipher()
    const tls = {
      version: socket.getProtocol() ?? undefined,
      cipher,
      serverName: serverNameOf(socket),
      isResumed: socket.isSessionReused(),
    }
    this.options.secured(socket, carrier, source, tls, certificate)
  }

  #finished(socket: TLSSocket): Handshake | undefined {
    const key = peerKey(socket)
    const handshake = this.#underWay.get(key)
    if (handshake !== undefined) this.#forget(key)
    return handshake
  }

  /** Node.js has this for itself and does not document it: where it is gone, the address is not told. */
  #sourceBelow(socket: TLSSocket): Source | undefined {
    const { _parent: carrier } = socket as { readonly _parent?: Socket }
    return carrier && this.#sources.get(carrier)
  }

  #forget(key: string): void {
    const { name, handshakes } = this.options
    this.#underWay.delete(key)
    handshakes.add(name, -1)
  }

  /** @returns why the client is refused; undefined where it need not show one, and has not */
  #certificateOf(socket: TLSSocket): ClientCertificate | string | undefined {
    const { tls } = this.options
    if (tls.clientCertificate === 'none') return undefined
    // looked at first: Node.js knows no more of the chain once the certificate has been taken out of it
    const hasKnownRoot = !needsRootCheck(tls) || this.#hasKnownRoot(socket)
    const shown = socket.getPeerX509Certificate()
    // asked first: of a session that goes on without a certificate, Node.js says that it is authorized
    if (shown === undefined) return tls.clientCertificate === 'required' ? 'is missing' : undefined
    if (!socket.authorized) return `does not hold: ${wordsOf(socket.authorizationError)}`
    if (!hasKnownRoot) return 'does not hold: caFile does not name its authority'
    return readPeerCertificate(shown, true)
  }

  #hasKnownRoot(socket: TLSSocket): boolean {
    let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
    for (let length = 0; at !== undefined && length < CHAIN_MAX; length++) {
      if (at.issuerCertificate === undefined || at.issuerCertificate === at) break
      at = at.issuerCertificate
    }
    return at !== undefined && this.#authorities.has(at.fingerprint256)
  }

  #refuse(socket: TLSSocket, address: string, problem: string): void {
    const { name, log, failed } = this.options
    failed()
    log.log('warn', `certificate ${name}`, `connection refused: its certificate ${problem}`, {
      listener: name,
      address,
    })
    socket.destroy()
  }

  #failed(error: Error, socket: TLSSocket): void {
    const { name, log, failed } = this.options
    const { address } = this.#finished(socket)?.source ?? this.#sourceBelow(socket) ?? {}
    failed()
    const refusal = socket.authorizationError
    const reason = refusal ? `its certificate does not hold: ${wordsOf(refusal)}` : failureText(error)
    log.log('info', `handshake ${name}`, `TLS handshake failed: ${reason}`, { listener: name, address })
    socket.destroy()
  }
}

function failureText(error: Error): string {
  const isPlain = NOT_TLS.has(systemCode(error) ?? '')
  return `${wordsOf(systemCode(error) ?? error)}${isPlain ? ' (the client does not speak TLS)' : ''}`
}

/** `certificate revoked` for CERT_REVOKED and the like, as OpenSSL and Node.js call them. */
function wordsOf(problem: unknown): string {
  const text = problem instanceof Error ? (systemCode(problem) ?? problem.message) : String(problem)
  return text
    .replace(/^ERR_(SSL_|TLS_)?/, '')
    .replaceAll('_', ' ')
    .toLowerCase()
}

function serverNameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as { servername?: string | false }
  return typeof servername === 'string' && servername !== '' ? servername : undefined
}

function peerKey(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localPort}`
}

function ignored(): void {}
