/** Where pyodide is on this machine. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'

const PACKAGE = createRequire(import.meta.url).resolve('pyodide/package.json')

/** With a separator at its end. */
export const PYODIDE_FOLDER = dirname(PACKAGE) + sep

export function pyodideVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version
}
