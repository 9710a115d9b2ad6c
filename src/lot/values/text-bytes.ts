/** UTF-8 text and bytes. Payloads are mostly short and ASCII; for those a loop is faster than any coder. */
import { isUtf8 } from 'node:buffer'

const SHORT_ENCODE_MAX = 24
const SHORT_DECODE_MAX = 48

/** The bytes may be part of a larger buffer that others share: copy them rather than transfer what is behind them. */
export function encodeText(text: string): Uint8Array {
  const { length } = text
  if (length > SHORT_ENCODE_MAX) return Buffer.from(text)
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return Buffer.from(text)
    bytes[i] = code
  }
  return bytes
}

/** What is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  const { length } = bytes
  if (length > SHORT_DECODE_MAX) return decodeLong(bytes)
  for (let i = 0; i < length; i++) if (bytes[i] > 127) return decodeLong(bytes)
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}

function decodeLong(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}

export { isUtf8 }
