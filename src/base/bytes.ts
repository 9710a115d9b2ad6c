/** Copies between the buffers of the data path. Measured: a typed array's `set` costs 100 ns before the first byte. */

const WORD_COPY_BYTES_MAX = 2_048

/**
 * Copies `length` bytes word by word. The two offsets must be equal modulo 4; up to three bytes on either side of the
 * target are overwritten too.
 */
export function copyWords(
  source: Int32Array,
  sourceBytes: Uint8Array,
  from: number,
  target: Int32Array,
  targetBytes: Uint8Array,
  to: number,
  length: number,
): void {
  if (length > WORD_COPY_BYTES_MAX) {
    targetBytes.set(sourceBytes.subarray(from, from + length), to)
    return
  }
  const end = (from + length + 3) >> 2
  let j = to >> 2
  for (let i = from >> 2; i < end; i++) target[j++] = source[i]
}

const BYTE_COPY_BYTES_MAX = 24
const VIEW_COPY_BYTES_MAX = 512

/** Copies between any two offsets. @returns the offset behind the last byte written */
export function copyBytes(
  source: Uint8Array,
  sourceView: DataView,
  from: number,
  target: Uint8Array,
  targetView: DataView,
  to: number,
  length: number,
): number {
  if (length > VIEW_COPY_BYTES_MAX) {
    target.set(source.subarray(from, from + length), to)
    return to + length
  }
  let i = 0
  if (length > BYTE_COPY_BYTES_MAX) {
    // Both ends little-endian, so the bytes come out as they went in.
    for (const end = length - 3; i < end; i += 4) targetView.setInt32(to + i, sourceView.getInt32(from + i, true), true)
  }
  for (; i < length; i++) target[to + i] = source[from + i]
  return to + length
}

export function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false
  return true
}

const FNV_START = -2128831035
const FNV_PRIME = 16777619

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

/** A byte order mark stays [MQTT-1.5.4-3]. Bytes of shared memory are copied first: TextDecoder refuses them. */
export function decodeText(bytes: Uint8Array, start: number, length: number): string {
  if (!(bytes.buffer instanceof SharedArrayBuffer)) return decoder.decode(bytes.subarray(start, start + length))
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(start, start + length))
  return decoder.decode(copy)
}

/** `hashBytes` of its UTF-8, which for most texts is not made: it costs more than the hash. */
export function hashText(text: string): number {
  let hash = FNV_START
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return hashEncoded(text)
    hash = Math.imul(hash ^ code, FNV_PRIME)
  }
  return hash
}

function hashEncoded(text: string): number {
  const bytes = encodeText(text)
  return hashBytes(bytes, 0, bytes.length)
}

/** 32-bit FNV-1a, the hash that topics and client identifiers are spread with. */
export function hashBytes(bytes: Uint8Array, start: number, length: number): number {
  let hash = FNV_START
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ bytes[i], FNV_PRIME)
  return hash
}
