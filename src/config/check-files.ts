/** Files with secrets: others must not read or write them. */
import { statSync } from 'node:fs'
import type { Finding } from './finding.js'

const READABLE_BY_ALL = 0o004
const WRITABLE_BY_OTHERS = 0o022

/** Nothing for a file that is not there, or where the system has no such rights. */
export function checkPrivate(path: string | undefined): Finding[] {
  if (path === undefined || path === '' || process.platform === 'win32') return []
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return []
  const problem =
    (stat.mode & READABLE_BY_ALL) !== 0
      ? 'can be read by every user of this machine'
      : (stat.mode & WRITABLE_BY_OTHERS) !== 0
        ? 'can be changed by other users of this machine'
        : undefined
  if (problem === undefined) return []
  return [{ severity: 'warning', message: `${path} holds a secret and ${problem}`, remedy: `chmod 600 ${path}` }]
}
