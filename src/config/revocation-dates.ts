/** From when until when revocation lists (RFC 5280, 5.1) and OCSP responses (RFC 6960, 4.2.1) hold. */
import { type DerElement, DerTag, derElements, derTime, isDerTime } from '../base/der.js'

/** Milliseconds since 1970. */
export interface Period {
  readonly fromMs: number
  /** By then there should be another one. */
  readonly untilMs: number
}

const PEM_FRAME = /-----[^-]*-----/g

/** @param pem one list @returns undefined where the list names no end, or cannot be read: OpenSSL has the last word on it */
export function periodOfList(pem: Buffer): Period | undefined {
  return attempt(() => {
    const [list] = derElements(Buffer.from(pem.toString('latin1').replace(PEM_FRAME, ''), 'base64'))
    const [content] = derElements(list.content)
    return periodOf(derElements(content.content).filter(({ tag }) => isDerTime(tag)))
  })
}

/** Of the certificate that it is about first. @returns undefined where the response names no end, or cannot be read */
export function periodOfResponse(der: Buffer): Period | undefined {
  return attempt(() => {
    const [response] = derElements(der)
    const inner = find(derElements(response.content), DerTag.EXPLICIT_0)
    const bytes = find(derElements(find(derElements(inner.content), DerTag.SEQUENCE).content), DerTag.OCTET_STRING)
    const [basic] = derElements(bytes.content)
    const [data] = derElements(basic.content)
    const [single] = derElements(find(derElements(data.content), DerTag.SEQUENCE).content)
    const parts = derElements(single.content)
    const until = derElements(find(parts, DerTag.EXPLICIT_0).content)
    return periodOf([find(parts, DerTag.GENERALIZED_TIME), ...until])
  })
}

function periodOf([from, until]: readonly DerElement[]): Period | undefined {
  if (from === undefined || until === undefined) return undefined
  const [fromMs, untilMs] = [derTime(from), derTime(until)]
  return fromMs === undefined || untilMs === undefined ? undefined : { fromMs, untilMs }
}

function find(elements: readonly DerElement[], tag: number): DerElement {
  const found = elements.find((element) => element.tag === tag)
  if (found === undefined) throw new Error('an element is missing')
  return found
}

function attempt(read: () => Period | undefined): Period | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
