/** How much the process, which the broker under test shares, grew. */

export const MEBIBYTE = 1_048_576

/** @returns growth of resident memory in bytes while the work was done, its end included */
export async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  await work()
  return process.memoryUsage.rss() - before
}
