/** Failures of the operating system in words. */
import { getSystemErrorMap } from 'node:util'
import { messageOf } from './errors.js'

/** `permission denied` for an EACCES of any call, without its path and system call; otherwise the message. */
export function systemReason(thrown: unknown): string {
  const number = thrown instanceof Error && 'errno' in thrown ? thrown.errno : undefined
  const known = typeof number === 'number' ? getSystemErrorMap().get(number) : undefined
  return known === undefined ? messageOf(thrown) : known[1]
}

/** The code of a failure of the operating system or of Node.js, such as `ENOENT`. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}
