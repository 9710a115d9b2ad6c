/** Attacks a running broker with bytes of every kind while two clients check that it goes on serving. */
import type { Target } from '../support/transport.js'
import { attackOf } from './attack.js'
import { Bystanders } from './bystanders.js'
import { type Corpus, readCorpus } from './corpus.js'
import { carryOut, type Outcome } from './hostile-connection.js'

export interface FuzzOptions {
  readonly target: Target
  readonly seed: number
  /** Number of the first attack; the same seed and number make the same bytes. */
  readonly first: number
  readonly iterations: number
  /** Hostile connections at the same time. */
  readonly concurrency: number
  /** Called between rounds with the number of attacks that are over. */
  readonly onProgress?: (done: number) => void | Promise<void>
}

export interface FuzzReport {
  readonly attacks: number
  readonly bytesSent: number
  readonly outcomes: Readonly<Record<Outcome, number>>
}

/** Attacks between two messages of the bystanders. */
const ROUND = 64

/** @throws Error that names seed and attacks of the round after which the broker did not serve, or left a peer hanging */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const corpus = readCorpus()
  const { target, first, iterations, onProgress } = options
  const bystanders = await Bystanders.meet(target)
  const outcomes: Record<Outcome, number> = { closed: 0, hanging: 0, 'not admitted': 0 }
  let bytesSent = 0
  try {
    for (let done = 0; done < iterations; ) {
      const count = Math.min(ROUND, iterations - done)
      try {
        const round = await attackRound(options, corpus, first + done, count)
        for (const outcome of round.outcomes) outcomes[outcome] += 1
        bytesSent += round.bytesSent
        if (outcomes.hanging > 0) throw new Error('the broker left a connection open that its peer had ended')
        await bystanders.exchange()
      } catch (cause) {
        const repeat = `--seed ${options.seed} --first ${first + done} --iterations ${count}`
        throw new Error(`the broker failed; repeat with ${repeat}`, { cause })
      }
      done += count
      await onProgress?.(done)
    }
    await bystanders.remainAlone()
  } finally {
    bystanders.part()
  }
  return { attacks: iterations, bytesSent, outcomes }
}

async function attackRound(
  { seed, target, concurrency }: FuzzOptions,
  corpus: Corpus,
  first: number,
  count: number,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly bytesSent: number }> {
  const outcomes: Outcome[] = []
  let bytesSent = 0
  let next = 0
  const attacker = async (): Promise<void> => {
    while (next < count) {
      const attack = attackOf(seed, first + next, corpus)
      next += 1
      outcomes.push(await carryOut(attack, target))
      for (const chunk of attack.chunks) bytesSent += chunk.length
    }
  }
  await Promise.all(Array.from({ length: concurrency }, attacker))
  return { outcomes, bytesSent }
}
