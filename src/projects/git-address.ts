/** Addresses and names that are handed to Git: checked, so that none is taken for an option or a program. */
import { basename } from 'node:path'
import { refused } from './refusal.js'

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//
const GIT_SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'ssh:', 'git:', 'file:'])
/** `user@host:path`, as ssh programs write it. */
const SHORT_FORM = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]+:(?!\/\/|\\)[^\s-]\S*$/
/** The names that Git itself allows are more; these are safe in commands, paths and topics. */
const REF = /^(?!.*(?:\.\.|\/\/|\.lock(?:\/|$)|@\{))[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,199}$/
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/

/** Whether a text is an address of a repository rather than a path. A path with a drive letter is none. */
export function isGitAddress(text: string): boolean {
  return SCHEME.test(text) || SHORT_FORM.test(text)
}

/** @throws BrokerError PROJECT_REFUSED */
export function checkGitAddress(address: string): void {
  if (SHORT_FORM.test(address) && !SCHEME.test(address)) return
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !GIT_SCHEMES.has(url.protocol)) {
    throw refused('a Git address begins with https, http, ssh, git or file and ://, or is user@host:path')
  }
  if (/\s/.test(address) || url.hostname.startsWith('-') || decodeURIComponent(url.username).startsWith('-')) {
    throw refused('the Git address is not valid')
  }
}

/** @param ref a branch, a tag or a commit. @throws BrokerError PROJECT_REFUSED */
export function checkRef(ref: string): void {
  if (!REF.test(ref) || /[./]$/.test(ref)) throw refused(`${JSON.stringify(ref)} is no name of a branch, tag or commit`)
}

/** The name is a folder and a level of topics. @throws BrokerError PROJECT_REFUSED */
export function checkProjectName(name: string): void {
  if (NAME.test(name) && !name.endsWith('.') && !name.endsWith('.lock')) return
  throw refused(
    `${JSON.stringify(name)} is no name of a project: use letters, digits, _, - and ., at most 100, and begin with none of the last two`,
  )
}

/** The name that a project gets from where it came from. @throws BrokerError PROJECT_REFUSED */
export function nameFromAddress(address: string): string {
  const path = address.replace(/[?#].*$/, '').replace(/[\\/]+$/, '')
  const last = basename(path.replace(/\\/g, '/').replace(/^[^/]*:(?!\/)/, ''))
  const name = last.replace(/\.(git|zip)$/i, '').replace(/[^A-Za-z0-9_.-]+/g, '-')
  checkProjectName(name)
  return name
}

/** A text with the passwords and tokens of its addresses hidden. */
export function hideCredentials(text: string): string {
  return text
    .replace(/\b(https?:\/\/)[^/@\s]+@/gi, '$1***@')
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^/@:\s]*):[^/@\s]*@/gi, '$1:***@')
}
