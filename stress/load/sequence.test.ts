import fc from 'fast-check'
import t from 'tap'
import { Arrival, SequenceChecker } from './sequence.js'

const { NEW, LATE, DUPLICATE, UNEXPECTED } = Arrival

function verdicts(sequences: readonly number[]): number[] {
  const checker = new SequenceChecker(1)
  return sequences.map((sequence) => checker.accept(0, sequence))
}

t.test('messages of one cell', async (t) => {
  const cases: [string, number[], number[]][] = [
    ['in order', [0, 1, 2, 3], [NEW, NEW, NEW, NEW]],
    ['a repeat at once', [0, 0, 1], [NEW, DUPLICATE, NEW]],
    ['a repeat later', [0, 1, 2, 0], [NEW, NEW, NEW, DUPLICATE]],
    ['a gap', [0, 2, 3], [NEW, NEW, NEW]],
    ['a gap filled late', [0, 2, 1, 3], [NEW, NEW, LATE, NEW]],
    ['a repeat after a gap', [0, 2, 2], [NEW, NEW, DUPLICATE]],
    ['a repeat of what came late', [0, 2, 1, 1, 2], [NEW, NEW, LATE, DUPLICATE, DUPLICATE]],
    ['the first is missing', [1, 0], [NEW, LATE]],
    ['order again after two gaps', [3, 1, 0, 2, 4], [NEW, LATE, LATE, LATE, NEW]],
    ['a jump past the history', [0, 10_000, 10_001, 3], [NEW, NEW, NEW, DUPLICATE]],
    ['a jump of less than twice the history', [0, 100, 4_200, 150, 100], [NEW, NEW, NEW, LATE, DUPLICATE]],
  ]
  for (const [name, sequences, expected] of cases) t.same(verdicts(sequences), expected, name)
})

t.test('cells do not disturb one another, and a forbidden one accepts nothing', async (t) => {
  const checker = new SequenceChecker(3)
  checker.forbid(1)
  t.equal(checker.accept(0, 0), NEW)
  t.equal(checker.accept(2, 1), NEW)
  t.equal(checker.accept(1, 0), UNEXPECTED)
  t.equal(checker.accept(0, 1), NEW)
  t.equal(checker.accept(2, 0), LATE)
})

t.test('within the history, every first copy is told from every repeat', async () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 600 })
  fc.assert(
    fc.property(arrivals, (sequences) => {
      const seen = new Set<number>()
      const repeats = sequences.map((sequence) => seen.has(sequence) || !seen.add(sequence))
      return verdicts(sequences).every((verdict, at) => (verdict === DUPLICATE) === repeats[at])
    }),
  )
})

t.test('a late message is one that came after a higher number', async () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...Array(200).keys()]), (sequences) => {
      let highest = -1
      const late = sequences.map((sequence) => {
        const isLate = sequence < highest
        highest = Math.max(highest, sequence)
        return isLate
      })
      return verdicts(sequences).every((verdict, at) => (verdict === LATE) === late[at])
    }),
  )
})
