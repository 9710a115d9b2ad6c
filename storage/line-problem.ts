/** What is wrong with a line of an export. */
export class LineProblem extends Error {}

/** @throws LineProblem unless it holds */
export function must(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new LineProblem(problem)
}
