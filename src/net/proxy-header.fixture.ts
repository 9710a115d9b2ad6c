/** For tests: PROXY headers of version 2, as a proxy makes them. */

/** @param parts addresses, then fields */
export function binaryHeader(
  command: number,
  family: number,
  ...parts: readonly (readonly number[] | Buffer)[]
): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const fixed = Buffer.from('\r\n\r\n\0\r\nQUIT\n____', 'latin1')
  fixed[12] = command
  fixed[13] = family
  fixed.writeUInt16BE(body.length, 14)
  return Buffer.concat([fixed, body])
}

export function field(type: number, value: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(value as string)
  const head = Buffer.of(type, 0, 0)
  head.writeUInt16BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** @param bits 1 by TLS, 2 certificate on this connection, 4 certificate of its session @param verified 0 where it was found good */
export function tlsField(bits: number, verified: number, ...parts: readonly (readonly number[] | Buffer)[]): Buffer {
  const result = Buffer.alloc(4)
  result.writeUInt32BE(verified)
  return field(0x20, Buffer.concat([Buffer.of(bits), result, ...parts.map((part) => Buffer.from(part))]))
}
