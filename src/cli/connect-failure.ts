/** Why a broker could not be reached, or has refused: in words, and what to do about it. */
import { messageOf } from '../base/errors.js'
import { systemCode, systemReason } from '../base/system-error.js'
import type { ConnectionSettings } from './connection-options.js'

/** What a broker says that refuses a CONNECT. */
export interface Refusal {
  readonly code: number
  readonly reasonString: string | undefined
}

export const CLOSED_EARLY = 'the connection was closed before CONNECT was answered'
const BAD_CREDENTIALS: ReadonlySet<number> = new Set([4, 0x86])
const NOT_AUTHORIZED: ReadonlySet<number> = new Set([5, 0x87])
const OTHER_VERSION: ReadonlySet<number> = new Set([1, 0x84])
/** How the parser of MQTT.js begins its complaints before it knows a packet. */
const NOT_MQTT = /^(Invalid header flag|Cannot parse|Invalid variable byte integer)/
/** What Merlot tells a client that a rule stops. */
const NOT_TOLD = 'not authorized'
const NAME_USER = 'give a user name with --username and its password with --password-file'

/** The reason string without what the name of the code has said already: `not authorized (0x87): a user name is needed` */
export function withReason(name: string, code: number, reasonString: string | undefined): string {
  const text = `${name} (0x${code.toString(16).padStart(2, '0')})`
  if (reasonString === undefined || reasonString === name) return text
  return `${text}: ${reasonString.startsWith(`${name}: `) ? reasonString.slice(name.length + 2) : reasonString}`
}

export function refusalRemedy({ code, reasonString = '' }: Refusal, settings: ConnectionSettings): string | undefined {
  if (OTHER_VERSION.has(code)) return 'try another version with --protocol'
  if (!BAD_CREDENTIALS.has(code) && !NOT_AUTHORIZED.has(code)) return undefined
  const { userName, password, target, deniedRemedy } = settings
  if (reasonString.includes('client certificate belongs to another user')) {
    return 'leave out --username, or give the name in the certificate'
  }
  if (reasonString.includes('client certificate')) return undefined
  const isNobody = userName === undefined && target.tls.certFile === undefined
  if (isNobody && (deniedRemedy !== undefined || reasonString !== NOT_TOLD)) return deniedRemedy ?? NAME_USER
  if (NOT_AUTHORIZED.has(code)) {
    const who = userName === undefined ? '' : ` --user ${userName}`
    return `most likely a rule denies it: "merlot rule test${who} connect" on the broker's machine says which`
  }
  if (password === undefined) return 'give the password with --password-file'
  return `check both; "merlot user passwd ${userName ?? 'NAME'}" on the broker's machine gives another password`
}

/**
 * The message of OpenSSL is full of addresses and file names; its reason is what a person can read. Node.js 24 adds advice
 * that is for programmers, and the parser tells what it took an answer for that is none of MQTT.
 */
export function connectReason(error: unknown): string {
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined
  if (typeof reason === 'string') return reason
  if (NOT_MQTT.test(messageOf(error))) return 'the answer is not MQTT'
  return systemReason(error).replace(/; if the root CA is installed locally.*$/, '')
}

export function connectRemedy({ target }: ConnectionSettings, error: unknown): string {
  const { transport, tls } = target
  const code = systemCode(error) ?? ''
  const message = messageOf(error)
  const isSecure = transport === 'tls' || transport === 'wss'
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'is the broker running? "merlot start" starts one here'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'check the name of the host'
  if (code.startsWith('ERR_SSL_') && /ALERT.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) {
    return 'the broker wants a certificate of this client that it trusts: give --cert and --key'
  }
  const isCutOff = message === CLOSED_EARLY || code === 'ECONNRESET'
  if (isCutOff && tls.certFile !== undefined) {
    return 'check host, port and transport, or the broker does not trust this certificate: its log says'
  }
  if (code.startsWith('ERR_SSL_') || (isSecure && code === 'ECONNRESET')) return 'does this port speak TLS?'
  if (NOT_MQTT.test(message)) return 'does this port speak something else, such as WebSocket (--ws) or TLS (--tls)?'
  if (/CERT|SIGNATURE|SELF_SIGNED/.test(code))
    return 'name the authority of the broker with --ca, or accept any with --insecure'
  if (message.startsWith('Unexpected server response')) return 'check the path of the WebSocket with --path'
  const isOpen = transport === 'tcp' || transport === 'ws'
  return `check host, port and transport${isCutOff && isOpen ? '; does this port speak TLS? add --tls' : ''}`
}
