/** Imports point one way: the table, and what in the tree disagrees with it. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** For each folder, the folders it may import from, besides itself. Tests may use more. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/mqtt': ['src/base'],
  'src/config': ['src/base'],
  'src/contracts': ['src/base', 'src/mqtt', 'src/config'],
  'src/actors': ['src/base', 'src/mqtt', 'src/config', 'src/contracts'],
  'src/security': ['src/base', 'src/mqtt', 'src/config', 'src/contracts', 'src/lot'],
  'src/broker': ['src/base', 'src/mqtt', 'src/config', 'src/contracts', 'src/actors', 'src/security'],
  'src/audit': ['src/base', 'src/config', 'src/contracts'],
  'src/net': ['src/base', 'src/mqtt', 'src/config', 'src/contracts', 'src/security'],
  'src/lot': ['src/base'],
  'src/lot-host': ['src/base', 'src/mqtt', 'src/config', 'src/contracts', 'src/actors', 'src/lot'],
  'src/lot-runner': ['src/base', 'src/mqtt', 'src/config', 'src/contracts', 'src/lot'],
  'src/lot-simulator': [
    'src/base',
    'src/mqtt',
    'src/config',
    'src/contracts',
    'src/lot',
    'src/lot-host',
    'src/lot-runner',
    'src/python',
  ],
  'src/python': ['src/base', 'src/config', 'src/contracts', 'src/actors', 'src/lot', 'src/projects'],
  'src/projects': ['src/base', 'src/config', 'src/contracts', 'src/lot'],
  'src/commands': [
    'src/audit',
    'src/base',
    'src/mqtt',
    'src/config',
    'src/contracts',
    'src/lot',
    'src/python',
    'src/projects',
    'src/security',
  ],
  'src/admin': ['src/base', 'src/config', 'src/contracts', 'src/actors'],
  src: [
    'src/audit',
    'src/base',
    'src/config',
    'src/contracts',
    'src/mqtt',
    'src/actors',
    'src/admin',
    'src/lot',
    'src/commands',
    'src/projects',
    'src/python',
    'src/security',
  ],
  'src/cli': [
    'src',
    'src/audit',
    'src/base',
    'src/commands',
    'src/config',
    'src/mqtt',
    'src/contracts',
    'src/lot',
    'src/lot-simulator',
    'src/projects',
    'src/python',
    'src/security',
    'storage',
  ],
  storage: ['src/base', 'src/mqtt', 'src/config', 'src/contracts'],
  workers: [
    'storage',
    'src/audit',
    'src/base',
    'src/config',
    'src/contracts',
    'src/actors',
    'src/security',
    'src/broker',
    'src/net',
    'src/lot',
    'src/lot-host',
    'src/lot-runner',
    'src/python',
  ],
}

/** Packages that exactly one file may import, so that they can be replaced there. */
const ONE_PLACE: Readonly<Record<string, string>> = {
  '@node-rs/argon2': 'src/security/passwords.ts',
  jose: 'src/security/token-library.ts',
  piscina: 'src/actors/piscina-library.ts',
  comlink: 'src/base/rpc.ts',
  'mqtt-packet': 'src/mqtt/packet-library.ts',
  ws: 'src/net/websocket-transport.ts',
  pino: 'src/base/log-output.ts',
  'pino-pretty': 'src/base/log-output.ts',
  fflate: 'src/projects/archive.ts',
  re2js: 'src/lot/values/linear-pattern.ts',
  pyodide: 'src/python/interpreter.ts',
  lmdb: 'storage/lmdb-library.ts',
}

const IMPORT = /^(?:import|export)\s[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm

export interface WrongImport {
  readonly file: string
  readonly imports: string
  readonly reason: string
}

/** @param root of the project; looks at `src`, `storage` and `workers`, tests left out */
export function wrongImports(root: string): WrongImport[] {
  const wrong: WrongImport[] = []
  for (const file of sources(root)) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const match of text.matchAll(IMPORT)) {
      const imports = match[1] ?? match[2] ?? match[3] ?? ''
      const reason = imports.startsWith('.') ? folderProblem(file, imports) : packageProblem(file, imports)
      if (reason !== undefined) wrong.push({ file, imports, reason })
    }
  }
  return wrong
}

function* sources(root: string): Generator<string> {
  for (const folder of ['src', 'storage', 'workers']) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const isTest = /\.(test|property\.test|bench|harness|fixture)\.ts$/.test(file)
      if (file.endsWith('.ts') && !file.endsWith('.d.ts') && !isTest) yield join(folder, file)
    }
  }
}

function folderProblem(file: string, imports: string): string | undefined {
  const from = folderOf(file)
  const to = folderOf(relative('.', join(dirname(file), imports)))
  if (from === to || ALLOWED[from]?.includes(to)) return undefined
  return `${from} may not import from ${to}`
}

function folderOf(file: string): string {
  const [top, second, third] = file.split('/')
  return top === 'src' && third !== undefined ? `${top}/${second}` : top
}

function packageProblem(file: string, imports: string): string | undefined {
  const only = ONE_PLACE[imports]
  return only === undefined || only === file ? undefined : `only ${only} imports ${imports}`
}
