/** The only importer of piscina. */
import { createRequire } from 'node:module'

export type { Piscina } from 'piscina'

const require = createRequire(import.meta.url)

/** Loaded where it is needed first: the LoT thread of a broker without Actions and Models does without. */
export function piscinaLibrary(): typeof import('piscina') {
  return require('piscina') as typeof import('piscina')
}

/**
 * Of every thread. Without this flag, Node.js from 20.19 on lets piscina `require` our module before it imports it, and a
 * thread that is ended within that brings the whole process down.
 */
export const THREAD_ARGUMENTS = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
  ? ['--no-experimental-require-module']
  : []
