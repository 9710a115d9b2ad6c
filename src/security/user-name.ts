/** What may be the name of a user, wherever it comes from. Names are compared as they are, never as patterns. */

const NAME_BYTES_MAX = 255
/** Control characters, ends of lines of Unicode, and halves of pairs, which UTF-8 cannot express. */
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u

/** It passes all rules; the control token and its password are the only ways to be it. */
export const ROOT = 'root'

/** @returns why not, to follow the name or `it`; undefined if it may */
export function userNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `is longer than ${NAME_BYTES_MAX} bytes`
  return FORBIDDEN.test(name) ? 'holds control characters' : undefined
}

/** @returns the same, of passwords that are typed or sent as text */
export function hasForbiddenCharacters(text: string): boolean {
  return FORBIDDEN.test(text)
}
