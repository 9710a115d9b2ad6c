/** For tests: zip files that no honest program writes. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface RawEntry {
  readonly name: string
  /** Name in the local header, where it lies. */
  readonly localName?: string
  readonly text?: string | Buffer
  readonly method?: number
  readonly flags?: number
  /** Mode of Unix, as in the upper half of the external attributes. */
  readonly mode?: number
  readonly claimedBytes?: number
  readonly crc?: number
  /** Where the local header is said to be: that of another entry. */
  readonly sharesWith?: number
}

export function rawZip(entries: readonly RawEntry[]): Buffer {
  const locals: Buffer[] = []
  const starts: number[] = []
  const centrals: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const { method = 8, flags = 0x800, sharesWith } = entry
    const content = Buffer.from(entry.text ?? '')
    const packed = method === 8 ? deflateRawSync(content) : content
    const sizes = {
      crc: entry.crc ?? crc32(content),
      packed: packed.length,
      bytes: entry.claimedBytes ?? content.length,
    }
    const start = sharesWith === undefined ? at : starts[sharesWith]!
    starts.push(start)
    if (sharesWith === undefined) {
      const name = Buffer.from(entry.localName ?? entry.name)
      const local = Buffer.concat([header(0x04034b50, 30, method, flags, sizes, 4), name, packed])
      local.writeUInt16LE(name.length, 26)
      locals.push(local)
      at += local.length
    }
    const name = Buffer.from(entry.name)
    const central = Buffer.concat([header(0x02014b50, 46, method, flags, sizes, 6), name])
    central.writeUInt16LE(0x0314, 4)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38)
    central.writeUInt32LE(start, 42)
    centrals.push(central)
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, directory, end])
}

interface Sizes {
  readonly crc: number
  readonly packed: number
  readonly bytes: number
}

/** Both headers have the same fields, the central one two bytes later. */
function header(signature: number, length: number, method: number, flags: number, sizes: Sizes, at: number): Buffer {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt32LE(signature, 0)
  bytes.writeUInt16LE(20, at)
  bytes.writeUInt16LE(flags, at + 2)
  bytes.writeUInt16LE(method, at + 4)
  bytes.writeUInt32LE(sizes.crc, at + 10)
  bytes.writeUInt32LE(sizes.packed, at + 14)
  bytes.writeUInt32LE(sizes.bytes, at + 18)
  return bytes
}
