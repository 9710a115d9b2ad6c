/** Where the files are that threads and processes of the broker begin with. */

/** Where the compiler puts them, seen from this file. */
const COMPILED = {
  shard: '../../workers/shard.js',
  connection: '../../workers/connection.js',
  storage: '../../workers/storage.js',
  lot: '../../workers/lot.js',
  'lot-runner': '../../workers/lot-runner.js',
  python: '../../workers/python.js',
  'sandbox-process': '../python/sandbox-process.js',
} as const

export type EntryName = keyof typeof COMPILED

const OWN_NAME = '/base/entry-file.js'

/**
 * `npm run build` packs each of these files into one with most of what it imports, beside the program, so that a thread
 * starts without looking for hundreds of modules (scripts/build.js); tests run what the compiler has made of each source.
 * @param own URL of the module that asks, for tests
 */
export function entryFile(name: EntryName, own: string = import.meta.url): URL {
  return new URL(own.endsWith(OWN_NAME) ? COMPILED[name] : `./${name}.js`, own)
}
