/** The nearest known spelling of a misspelled name, for "did you mean …?". */

const NAME_LENGTH_MAX = 128

/**
 * The known name that differs least from `name`, letter case and separators (`_`, `-`) left aside.
 * @returns `undefined` when nothing is near: one edit for short names, up to a third of the letters for longer ones
 */
export function nearestSpelling(name: string, known: Iterable<string>): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined
  const plainName = plain(name)
  let nearest: string | undefined
  let nearestEdits = Math.max(1, Math.floor(plainName.length / 3)) + 1
  for (const candidate of known) {
    const edits = editDistance(plainName, plain(candidate), nearestEdits)
    if (edits >= nearestEdits) continue
    nearest = candidate
    nearestEdits = edits
  }
  return nearest
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`.
 * @returns the exact number below `limit`, otherwise `limit`
 */
export function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      let edits = Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1)
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) edits = Math.min(edits, beforePrevious[column - 2]! + 1)
      current.push(edits)
    }
    if (Math.min(...current) >= limit) return limit
    beforePrevious = previous
    previous = current
  }
  return Math.min(previous[to.length]!, limit)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}
