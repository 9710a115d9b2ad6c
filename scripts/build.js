/**
 * `npm run build`: packs the program and the files that its threads begin with, each into one file with most of what it
 * imports. It is plain JavaScript because it runs before anything is compiled; types are checked by `npm test`.
 *
 *     node scripts/build.js [FOLDER]
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = process.argv[2] ?? join(ROOT, 'dist/bin')
/** Small, pure JavaScript and needed at each start; other packages are looked for when they are used. */
const PACKED = new Set(['comlink', 'jose', 'zod'])

const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const common = {
  absWorkingDir: ROOT,
  outdir: FOLDER,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: Object.keys(dependencies)
    .filter((name) => !PACKED.has(name))
    .flatMap((name) => [name, `${name}/*`]),
  logLevel: 'warning',
}

rmSync(FOLDER, { recursive: true, force: true })
await Promise.all([
  // commands of the command line come in pieces, of which each start takes few
  build({
    ...common,
    entryPoints: [{ in: 'src/cli/main.ts', out: 'merlot' }],
    splitting: true,
    chunkNames: 'merlot-[hash]',
  }),
  build({
    ...common,
    entryPoints: [
      ...['shard', 'connection', 'storage', 'lot', 'lot-runner', 'python'].map((name) => ({
        in: `workers/${name}.ts`,
        out: name,
      })),
      { in: 'src/python/sandbox-process.ts', out: 'sandbox-process' },
    ],
  }),
])
