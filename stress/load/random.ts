/** Pseudo-random numbers that a seed repeats (mulberry32). Not for secrets. */
export interface Random {
  /** @returns 0 inclusive to 1 exclusive */
  next(): number
  /** @returns an integer from 0 to `below` - 1 */
  integer(below: number): number
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, integer: (below) => Math.floor(next() * below) }
}
