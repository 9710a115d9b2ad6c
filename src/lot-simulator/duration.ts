/** Spans of time as people write them: `90 seconds`, `5 minutes`, `1 hour 30 minutes`. */

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['millisecond', 1],
  ['ms', 1],
  ['second', 1_000],
  ['s', 1_000],
  ['minute', 60_000],
  ['min', 60_000],
  ['hour', 3_600_000],
  ['h', 3_600_000],
  ['day', 86_400_000],
  ['week', 604_800_000],
])

/** @returns milliseconds; undefined for anything else */
export function parseDuration(text: string): number | undefined {
  if (!/^\s*\d[\d.\sa-z,]*$/i.test(text)) return undefined
  let total = 0
  let rest = text.trim()
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)\s*([a-z]+)\s*,?\s*/i.exec(rest)
    const word = part?.[2].toLowerCase() ?? ''
    const unit = UNIT_MS.get(word) ?? UNIT_MS.get(word.replace(/s$/, ''))
    if (part === null || unit === undefined) return undefined
    total += Number(part[1]) * unit
    rest = rest.slice(part[0].length)
  }
  return Math.round(total)
}
