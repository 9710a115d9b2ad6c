/** What is wrong with a line of an export. */
export class LineProblem extends Error {
  readonly advice: string

  constructor(
    problem: string,
    { advice = ANOTHER_FILE, ...options }: ErrorOptions & { readonly advice?: string } = {},
  ) {
    super(problem, options)
    this.advice = advice
  }
}

const ANOTHER_FILE = 'give a file as "merlot store export" writes it'

/** @throws LineProblem unless it holds */
export function must(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new LineProblem(problem)
}
