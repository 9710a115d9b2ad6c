/** Recorded traffic: a JSON object a line, in the order in which the messages came. */
import { isUtf8 } from 'node:buffer'
import { encodeText } from '../base/bytes.js'

export interface RecordedMessage {
  /** Milliseconds since 1970, of the one who recorded. */
  readonly atMs: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  /** It was retained before the recording began. */
  readonly retain: boolean
}

/** With its line end. `payload` is text where it is UTF-8; otherwise `payloadBase64` takes its place. */
export function recordingLine({ atMs, topic, payload, qos, retain }: RecordedMessage): string {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const content = isUtf8(bytes) ? { payload: bytes.toString() } : { payloadBase64: bytes.toString('base64') }
  return `${JSON.stringify({ atMs, topic, ...content, qos, retain })}\n`
}

/** @throws Error with the number of the line, for one that is none of a recording */
export async function* readRecording(lines: AsyncIterable<string>): AsyncGenerator<RecordedMessage> {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const message = readLine(line)
    if (message === undefined) throw new Error(`line ${number} is no recorded message`)
    yield message
  }
}

function readLine(line: string): RecordedMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const { atMs, topic, payload, payloadBase64, qos, retain } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof atMs !== 'number' || !Number.isFinite(atMs) || typeof topic !== 'string') return undefined
  const bytes = typeof payload === 'string' ? encodeText(payload) : bytesOf(payloadBase64)
  if (bytes === undefined) return undefined
  return { atMs, topic, payload: bytes, qos: qos === 1 || qos === 2 ? qos : 0, retain: retain === true }
}

function bytesOf(base64: unknown): Uint8Array | undefined {
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined
}
