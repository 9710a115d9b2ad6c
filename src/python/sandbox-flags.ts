/** How Node is started for the process that runs Python. */
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { entryFile } from '../base/entry-file.js'

/** Versions of Node from which on the permission model has the shorter name. */
const STABLE_PERMISSION = [
  [22, 13],
  [23, 5],
] as const

/** Megabytes for the objects of JavaScript; Python's are elsewhere. */
const JAVASCRIPT_MEGABYTES = 96

/**
 * No file may be read but `files` (folders end with a separator) and the folder of the program that it runs, none written; no process, no thread, no
 * native code; no text becomes code of JavaScript.
 * @param version of Node, like `20.18.0`
 */
export function sandboxFlags(files: readonly string[], version = process.versions.node): readonly string[] {
  const readable = [dirname(fileURLToPath(entryFile('sandbox-process'))) + sep, ...files]
  return [
    permissionFlag(version),
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    `--max-old-space-size=${JAVASCRIPT_MEGABYTES}`,
    '--no-warnings',
  ]
}

function permissionFlag(version: string): string {
  const [major, minor] = version.split('.').map(Number)
  const sinceMinor = STABLE_PERMISSION.find((since) => since[0] === major)?.[1] ?? 0
  const isStable = major >= STABLE_PERMISSION[0][0] && minor >= sinceMinor
  return isStable ? '--permission' : '--experimental-permission'
}

/** Variables of the environment that the process gets: nothing of the broker's own. */
export function sandboxEnvironment(variables: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {}
  // the time zone; and Windows starts no program without its own folder
  for (const name of ['TZ', 'SystemRoot']) {
    const value = variables[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}
