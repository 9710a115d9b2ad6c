/** The password of `root` at the first start: from the environment, from a file, or a random one that is told once. */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import type { BrokerConfig } from '../config/schema.js'
import { passwordProblem } from './passwords.js'
import { ROOT } from './user-name.js'

export const ROOT_VARIABLE = 'MERLOT_ROOT_PASSWORD'
/** Without 0, O, I and l, which look alike. */
const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const RANDOM_LETTERS = 20

export interface FirstRoot {
  readonly password: string
  /** To be shown to whoever has started the broker, and to nobody else; a random password is never seen again. */
  readonly notice: readonly string[]
}

export interface FirstRootParts {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly config: Pick<BrokerConfig, 'authentication'>
}

/** @throws BrokerError FILE_UNREADABLE; CONFIG_INVALID where the password that is given cannot be one */
export function firstRoot({ environment, config }: FirstRootParts): FirstRoot {
  const { rootPasswordFile, passwordBytesMin } = config.authentication
  const given = environment[ROOT_VARIABLE]
  if (given !== undefined && given !== '') return givenRoot(given, ROOT_VARIABLE, passwordBytesMin)
  if (rootPasswordFile !== undefined) {
    return givenRoot(readPassword(rootPasswordFile), rootPasswordFile, passwordBytesMin)
  }
  const length = Math.max(RANDOM_LETTERS, passwordBytesMin)
  const password = Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  const notice = [
    `the user ${ROOT} was made, with the password ${password}`,
    'it is shown this once: keep it, or set another with "merlot user passwd root"',
  ]
  return { password, notice }
}

function givenRoot(password: string, origin: string, bytesMin: number): FirstRoot {
  const problem = passwordProblem(password, bytesMin)
  if (problem !== undefined) throw new BrokerError('CONFIG_INVALID', { problem: `${origin}: ${problem}` })
  return { password, notice: [`the user ${ROOT} was made, with the password of ${origin}`] }
}

function readPassword(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(cause) }, { cause })
  }
}
