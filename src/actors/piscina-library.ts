/** The only importer of piscina. */
export { move, Piscina, transferableSymbol, valueSymbol } from 'piscina'

/**
 * Of every thread. Without this flag, Node.js from 20.19 on lets piscina `require` our module before it imports it, and a
 * thread that is ended within that brings the whole process down.
 */
export const THREAD_ARGUMENTS = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
  ? ['--no-experimental-require-module']
  : []
