/** The server's side of one login by SCRAM, in the steps of enhanced authentication (§4.12). */
import { randomBytes } from 'node:crypto'
import { encodeText } from '../base/bytes.js'
import type { ScramVerifier } from '../contracts/security.js'
import { type Exchange, type ExchangeStep, refused, WRONG } from './authenticator.js'
import type { CredentialsDirectory } from './directory.js'
import {
  type ClientFirst,
  decoyVerifier,
  isProof,
  readClientFinal,
  readClientFirst,
  type ScramMechanism,
  serverSignature,
} from './scram.js'

export interface ScramParts {
  readonly mechanism: ScramMechanism
  readonly directory: Pick<CredentialsDirectory, 'get' | 'decoyKey'>
  /** Of users that there are not. */
  readonly iterations: number
  /** Of CONNECT, of the certificate, or of the login before: the client cannot become another; undefined leaves it open. */
  readonly userName: string | undefined
  /** Printable, without commas. */
  readonly makeNonce?: () => string
}

interface Challenge {
  readonly first: ClientFirst
  readonly serverFirst: string
  readonly nonce: string
  readonly verifier: ScramVerifier
}

const NONCE_BYTES = 24

export class ScramExchange implements Exchange {
  #challenge: Challenge | undefined
  #wasAsked = false

  constructor(private readonly parts: ScramParts) {}

  async step(data: Uint8Array | undefined): Promise<ExchangeStep> {
    if (this.#challenge !== undefined) return this.#finish(this.#challenge, data ?? new Uint8Array())
    if (data === undefined && !this.#wasAsked) {
      this.#wasAsked = true // CONNECT may come without data: the client then begins when it is asked
      return { kind: 'continue', data: undefined }
    }
    return this.#begin(data ?? new Uint8Array())
  }

  #begin(data: Uint8Array): ExchangeStep {
    const { mechanism, directory, iterations, makeNonce = randomNonce } = this.parts
    const first = readClientFirst(data)
    if (typeof first === 'string') return refused(first)
    const { userName } = first
    const verifier =
      directory.get(userName)?.scram[mechanism] ?? decoyVerifier(mechanism, userName, directory.decoyKey, iterations)
    const nonce = first.nonce + makeNonce()
    const serverFirst = `r=${nonce},s=${verifier.salt},i=${verifier.iterations}`
    this.#challenge = { first, serverFirst, nonce, verifier }
    return { kind: 'continue', data: encodeText(serverFirst) }
  }

  #finish({ first, serverFirst, nonce, verifier }: Challenge, data: Uint8Array): ExchangeStep {
    const { mechanism, directory, userName } = this.parts
    const final = readClientFinal(data)
    if (typeof final === 'string') return refused(final)
    const binding = `c=${Buffer.from(first.header).toString('base64')}`
    if (final.nonce !== nonce || final.binding !== binding) {
      return refused('the last message of SCRAM does not belong to the first')
    }
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`
    const isProven = isProof(mechanism, verifier, authMessage, final.proof)
    // a decoy belongs to nobody, and meanwhile the user may have gone or have another password
    if (!isProven || directory.get(first.userName)?.scram[mechanism] !== verifier) {
      return WRONG
    }
    if (userName !== undefined && userName !== first.userName) return refused('this connection belongs to another user')
    const signature = `v=${serverSignature(mechanism, verifier, authMessage)}`
    return { kind: 'admitted', userName: first.userName, data: encodeText(signature) }
  }
}

function randomNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64')
}
