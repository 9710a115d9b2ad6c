/** Packets to start from, read from `stress/fuzz/corpus`. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Version } from '../support/client-packets.js'

export interface CorpusPacket {
  readonly name: string
  readonly packet: Buffer
}

export interface Corpus {
  readonly valid: Readonly<Record<Version, readonly CorpusPacket[]>>
  /** Of no version in particular. */
  readonly wrong: readonly CorpusPacket[]
}

const FOLDER = join('stress', 'fuzz', 'corpus')
const LINE = /^([\w.-]+):\s*((?:[0-9a-f]{2}\s*)+)$/

export function readCorpus(folder = findFolder()): Corpus {
  const read = (file: string) => parseCorpus(readFileSync(join(folder, file), 'utf8'), file)
  return {
    valid: { 3: read('mqtt-3.1.txt'), 4: read('mqtt-3.1.1.txt'), 5: read('mqtt-5.txt') },
    wrong: read('wrong.txt'),
  }
}

/** @throws Error naming the file and the line that is neither a packet nor a comment */
export function parseCorpus(text: string, file: string): readonly CorpusPacket[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const [, name, hex] = LINE.exec(line) ?? []
    if (name === undefined || hex === undefined) throw new Error(`${file}:${index + 1}: not "name: bytes in hex"`)
    return [{ name, packet: Buffer.from(hex.replace(/\s/g, ''), 'hex') }]
  })
}

/** The compiler copies no text files, so they are looked for from the compiled module upwards. */
function findFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = join(folder, FOLDER)
    if (existsSync(found)) return found
    if (dirname(folder) === folder) throw new Error(`${FOLDER} is missing`)
  }
}
