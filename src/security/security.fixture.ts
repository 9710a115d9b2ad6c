/** For tests: clients as they come to an authenticator, users it knows, and the client's side of SCRAM. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { UserCredentials } from '../contracts/security.js'
import { PLAIN_CONNECT } from '../mqtt/client-codec.js'
import type { Connect } from '../mqtt/packets.js'
import type { ClientCertificate, Peer } from './authenticator.js'
import { CredentialsDirectory } from './directory.js'
import type { VerifyPassword } from './passwords.js'
import { type ScramMechanism, scramVerifier } from './scram.js'

export const LOCAL: Peer = {
  address: '127.0.0.1',
  port: 50_000,
  listener: 'tcp',
  isLocal: true,
  anonymous: 'local',
  anonymousUser: undefined,
  certificateUser: 'none',
  certificate: undefined,
}
export const REMOTE: Peer = { ...LOCAL, address: '192.0.2.7', isLocal: false }

export const CERTIFICATE: ClientCertificate = {
  commonName: 'boiler 7',
  subjectAltNames: ['boiler-7.plant', 'a@example.org'],
  fingerprint: 'ab12',
  authorized: true,
}

export function connectAs(userName: string | undefined, password?: string | Uint8Array): Connect {
  const bytes = typeof password === 'string' ? Buffer.from(password) : password
  return { ...PLAIN_CONNECT, userName, password: bytes }
}

/** A hash that costs nothing: for what is not about hashing. */
export function fakeHash(password: string): string {
  return `$argon2id$${password}`
}

/** Knows only `fakeHash`, and counts. */
export class FakeVerifier {
  calls = 0
  together = 0
  togetherMax = 0
  /** Held back until this resolves. */
  until: Promise<void> = Promise.resolve()

  readonly verify: VerifyPassword = async (passwordHash, password) => {
    this.calls++
    this.together++
    this.togetherMax = Math.max(this.together, this.togetherMax)
    await this.until
    this.together--
    return passwordHash === fakeHash(Buffer.from(password).toString())
  }
}

export function directoryOf(...users: readonly UserCredentials[]): CredentialsDirectory {
  const directory = new CredentialsDirectory()
  directory.change({ users, removedUsers: [], isWhole: true, decoyKey: Buffer.alloc(32, 7).toString('base64') })
  return directory
}

export function userWith(name: string, password: string): UserCredentials {
  return { name, passwordHash: fakeHash(password), scram: {} }
}

export async function scramUser(name: string, password: string, mechanism: ScramMechanism): Promise<UserCredentials> {
  const verifier = await scramVerifier(mechanism, password, randomBytes(16), 4_096)
  return { name, passwordHash: undefined, scram: { [mechanism]: verifier } }
}

/** RFC 5802 as a client does it; knows nothing of the server's code. */
export class ScramClient {
  readonly first: string
  #signature = ''

  constructor(
    private readonly mechanism: ScramMechanism,
    userName: string,
    private readonly password: string,
    private readonly nonce = 'abcdef',
    private readonly header = 'n,,',
  ) {
    this.first = `${header}n=${userName},r=${nonce}`
  }

  /** @param change what the client signs and sends in its place: header and nonce */
  final(serverFirst: string, change: { readonly header?: string; readonly nonce?: string } = {}): string {
    const hash = this.mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
    const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest()
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
    if (!nonce.startsWith(this.nonce)) throw new Error('another nonce')
    const bytes = hash === 'sha256' ? 32 : 64
    const salted = pbkdf2Sync(this.password, Buffer.from(salt, 'base64'), Number(iterations), bytes, hash)
    const clientKey = hmac(salted, 'Client Key')
    const header = change.header ?? this.header
    const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${change.nonce ?? nonce}`
    const message = `${this.first.slice(this.header.length)},${serverFirst},${withoutProof}`
    const signature = hmac(createHash(hash).update(clientKey).digest(), message)
    this.#signature = hmac(hmac(salted, 'Server Key'), message).toString('base64')
    return `${withoutProof},p=${Buffer.from(clientKey.map((byte, at) => byte ^ signature[at])).toString('base64')}`
  }

  /** Whether the server knows the user. */
  isServer(serverFinal: string): boolean {
    return serverFinal === `v=${this.#signature}`
  }
}
