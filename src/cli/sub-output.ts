/** How `sub` prints a message. */
import type { ReceivedMessage } from './client.js'
import type { OptionValues } from './command.js'

const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const BYTES_SHOWN = 32

/** @param toTerminal escape what would move the cursor or hide text; a file or pipe gets the bytes as they came */
export function messageFormatter(
  values: OptionValues,
  toTerminal: boolean,
): (message: ReceivedMessage) => string | Buffer {
  if (values.flag('json')) return jsonLine
  const verbose = values.flag('verbose')
  return ({ topic, payload }) => {
    if (!toTerminal) return Buffer.concat([Buffer.from(verbose ? `${topic} ` : ''), payload, Buffer.from('\n')])
    const shown = textOf(payload) ?? hexOf(payload)
    return `${printable(verbose ? `${topic} ${shown}` : shown)}\n`
  }
}

/** `payload` is text where it is valid UTF-8; otherwise `payloadBase64` takes its place. */
function jsonLine({ topic, payload, qos, retain, properties }: ReceivedMessage): string {
  const text = textOf(payload)
  const content = text === undefined ? { payloadBase64: payload.toString('base64') } : { payload: text }
  const { correlationData, payloadFormatIndicator, ...plain } = properties
  const shown: Record<string, unknown> = { ...plain }
  if (payloadFormatIndicator !== undefined) shown.payloadFormat = payloadFormatIndicator ? 'text' : 'bytes'
  if (correlationData !== undefined) shown.correlationDataBase64 = correlationData.toString('base64')
  return `${JSON.stringify({ topic, qos, retain, ...content, properties: shown })}\n`
}

function textOf(payload: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
  } catch {
    return undefined
  }
}

function hexOf(payload: Buffer): string {
  const shown = payload
    .subarray(0, BYTES_SHOWN)
    .toString('hex')
    .replace(/..(?!$)/g, '$& ')
  return `<${payload.length} bytes: ${shown}${payload.length > BYTES_SHOWN ? ' …' : ''}>`
}

/** Characters that would move the cursor or hide text are written out. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
