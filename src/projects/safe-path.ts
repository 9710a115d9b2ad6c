/** Which names an archive may give its files: only such that stay below the folder on every system. */
import { refused } from './refusal.js'

const PATH_CHARACTERS_MAX = 1_000
const SEGMENT_BYTES_MAX = 255
const SEGMENTS_MAX = 16
/** Git would run what its folder says. `git~1` is the short name of `.git` on Windows. */
const GIT_FOLDER = /^(\.git|git~\d+)$/i
const UNSAFE_CHARACTER = /[\u0000-\u001f\u007f\\:*?"<>|]/
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i

/**
 * @param path of a file, or of a folder with its slash at the end taken off
 * @throws BrokerError PROJECT_REFUSED with the reason
 */
export function checkArchivePath(path: string): void {
  const problem = pathProblem(path)
  if (problem !== undefined) throw refused(`the archive holds ${JSON.stringify(path.slice(0, 200))}: ${problem}`)
}

function pathProblem(path: string): string | undefined {
  if (path.length > PATH_CHARACTERS_MAX) return `paths have at most ${PATH_CHARACTERS_MAX} characters`
  if (path.startsWith('/')) return 'paths must not be absolute'
  if (UNSAFE_CHARACTER.test(path)) return 'paths are written with forward slashes and without special characters'
  const segments = path.split('/')
  if (segments.length > SEGMENTS_MAX) return `folders are at most ${SEGMENTS_MAX} levels deep`
  for (const segment of segments) {
    const problem = segmentProblem(segment)
    if (problem !== undefined) return problem
  }
  return undefined
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '..' || segment === '.') return 'paths must not lead out of the project'
  if (segment === '') return 'paths have no empty parts'
  if (Buffer.byteLength(segment) > SEGMENT_BYTES_MAX) return `names have at most ${SEGMENT_BYTES_MAX} bytes`
  if (/[. ]$/.test(segment)) return 'names must not end with a dot or a blank'
  if (GIT_FOLDER.test(segment)) return 'the folder of Git is not accepted from archives'
  if (segment === '__proto__') return 'the name is reserved'
  if (WINDOWS_DEVICE.test(segment)) return 'the name is reserved on Windows'
  return undefined
}
