/** Settings of users, tokens, bans and the audit trail that are weaker than they need be. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { checkPrivate } from './check-files.js'
import type { Finding } from './finding.js'
import { isLoopbackHost } from './listener.js'
import type { BrokerConfig } from './schema.js'

/** RFC 7518: a key of HS256 is at least as long as its hash. */
const JWT_SECRET_BYTES_MIN = 32
const PASSWORD_BYTES_ADVISED = 8
const MAKE_SECRET = `node -p "crypto.randomBytes(32).toString('hex')"`

export function checkSecrets({
  authentication,
  rules,
  session,
  limits,
  audit,
  compat,
  dataDirectory,
}: BrokerConfig): Finding[] {
  const findings: Finding[] = []
  const warn = (isWeak: boolean, message: string, remedy: string): void => {
    if (isWeak) findings.push({ severity: 'warning', message, remedy })
  }
  const { wellKnownRootPassword, passwordBytesMin, rootPasswordFile } = authentication
  warn(
    wellKnownRootPassword && compat === 'v1',
    'authentication.wellKnownRootPassword: every program on this machine can be root with a password that everybody knows',
    'set it to false, and give old clients the password of root',
  )
  warn(
    wellKnownRootPassword && compat !== 'v1',
    'authentication.wellKnownRootPassword has no effect without compat: v1',
    'remove it',
  )
  warn(
    passwordBytesMin < PASSWORD_BYTES_ADVISED,
    `authentication.passwordBytesMin: passwords of ${passwordBytesMin} bytes can be guessed`,
    `set it to ${PASSWORD_BYTES_ADVISED} or more`,
  )
  warn(
    limits.ban.failuresMax === 0,
    'limits.ban.failuresMax is 0: passwords may be tried without end',
    'set it to 10 or so',
  )
  warn(!audit.enabled, 'audit.enabled is false: nobody can tell later who did what', 'set it to true')
  warn(
    session.takeoverByOthers,
    'session.takeoverByOthers: a user who knows a client identifier gets the session of another',
    'set it to false',
  )
  warn(
    !rules.recheckOpenSubscriptions,
    'rules.recheckOpenSubscriptions is false: who has subscribed once gets messages that rules forbid now',
    'set it to true',
  )
  return [
    ...findings,
    ...checkRootPassword(rootPasswordFile, dataDirectory),
    ...checkTokens(authentication.jwt),
    ...[rootPasswordFile, authentication.jwt?.secretFile].flatMap(checkPrivate),
  ]
}

/** Only the first start reads it: who has taken it away since is right. */
function checkRootPassword(file: string | undefined, dataDirectory: string): Finding[] {
  if (file === undefined || existsSync(join(dataDirectory, 'store'))) return []
  const bytes = bytesOf(file)
  if (Buffer.isBuffer(bytes)) return []
  const message = `authentication.rootPasswordFile: ${bytes.message}`
  const remedy = 'the first start takes the password of root from it: make it, or leave the key out for a random one'
  return [{ severity: 'warning', message, remedy }]
}

function checkTokens(jwt: BrokerConfig['authentication']['jwt']): Finding[] {
  if (jwt === undefined) return []
  const { secretFile, jwksFile, jwksUrl } = jwt
  const findings: Finding[] = []
  if (jwksUrl !== undefined && isReadOnTheWay(jwksUrl)) {
    const message = `authentication.jwt.jwksUrl: whoever is between here and ${new URL(jwksUrl).host} can make tokens of any user`
    findings.push({ severity: 'warning', message, remedy: 'use https' })
  }
  if (secretFile !== undefined) {
    const bytes = bytesOf(secretFile)
    const length = Buffer.isBuffer(bytes) ? bytes.toString('latin1').replace(/\r?\n$/, '').length : JWT_SECRET_BYTES_MIN
    if (!Buffer.isBuffer(bytes)) findings.push(bytes)
    if (length < JWT_SECRET_BYTES_MIN) {
      const message = `authentication.jwt.secretFile: ${secretFile} has ${length} bytes, less than ${JWT_SECRET_BYTES_MIN}: tokens could be forged`
      findings.push({ severity: 'error', message, remedy: `make one with: ${MAKE_SECRET} > ${secretFile}` })
    }
  }
  if (jwksFile !== undefined) {
    const bytes = bytesOf(jwksFile)
    if (!Buffer.isBuffer(bytes)) findings.push(bytes)
    else if (!isKeySet(bytes)) {
      const message = `authentication.jwt.jwksFile: ${jwksFile} is no JSON Web Key Set`
      findings.push({ severity: 'error', message, remedy: 'it must be JSON with a list "keys"' })
    }
  }
  return findings
}

function isReadOnTheWay(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && !isLoopbackHost(hostname.replace(/^\[|\]$/g, ''))
}

function bytesOf(path: string): Buffer | Finding {
  try {
    return readFileSync(path)
  } catch (error) {
    const { message, remedy } = new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(error) })
    return { severity: 'error', message, remedy }
  }
}

function isKeySet(bytes: Buffer): boolean {
  try {
    const { keys } = JSON.parse(bytes.toString()) as { readonly keys?: unknown }
    return Array.isArray(keys)
  } catch {
    return false
  }
}
