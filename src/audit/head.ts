/**
 * `head.json`: how far the trail goes, signed. It is written when records are on the disk, so that whoever has not the
 * key can not cut off the end unnoticed.
 */
import { readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../base/system-error.js'
import type { AuditKeys } from './audit-keys.js'
import type { ChainLink } from './audit-line.js'
import type { OpenFile } from './open-file.js'

export interface Head extends ChainLink {
  /** Number of the first file that is kept. */
  readonly firstFile: number
  /** Number of the last one, and its bytes up to this record. */
  readonly file: number
  readonly bytes: number
}

export type FoundHead =
  | { readonly kind: 'missing' }
  /** It is not what a broker writes. */
  | { readonly kind: 'damaged' }
  /** It has no signature, or not with this key. */
  | { readonly kind: 'notSigned'; readonly head: Head }
  /** There is no key to check it with. */
  | { readonly kind: 'notChecked'; readonly head: Head }
  | { readonly kind: 'signed'; readonly head: Head }

const NAME = 'head.json'
const MAC = /,"mac":"([0-9a-f]{64})"\}\n?$/

/** In one step: a crash leaves the old one or the new one. */
export async function writeHead(
  folder: string,
  { seq, hash, firstFile, file, bytes }: Head,
  keys: AuditKeys | undefined,
  openFile: OpenFile,
): Promise<void> {
  const content = JSON.stringify({ seq, hash, firstFile, file, bytes }).slice(0, -1)
  const signature = keys === undefined ? '' : `,"mac":"${keys.sign(content)}"`
  const target = join(folder, NAME)
  const next = `${target}.new`
  const handle = await openFile(next, 'w', 0o600)
  try {
    await handle.appendFile(`${content}${signature}}\n`)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(next, target)
}

export function readHead(folder: string, keys: AuditKeys | undefined): FoundHead {
  let text: string
  try {
    text = readFileSync(join(folder, NAME), 'utf8')
  } catch (error) {
    return { kind: systemCode(error) === 'ENOENT' ? 'missing' : 'damaged' }
  }
  const head = parseHead(text)
  if (head === undefined) return { kind: 'damaged' }
  if (keys === undefined) return { kind: 'notChecked', head }
  const mac = MAC.exec(text)
  const isSigned = mac !== null && keys.isSigned(text.slice(0, mac.index), mac[1])
  return { kind: isSigned ? 'signed' : 'notSigned', head }
}

function parseHead(text: string): Head | undefined {
  try {
    const { seq, hash, firstFile, file, bytes } = JSON.parse(text) as Record<string, unknown>
    const numbers = [seq, firstFile, file, bytes]
    if (!numbers.every((value) => Number.isSafeInteger(value)) || !/^[0-9a-f]{64}$/.test(String(hash))) return undefined
    return { seq, hash, firstFile, file, bytes } as Head
  } catch {
    return undefined
  }
}
