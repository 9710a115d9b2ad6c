/** Runs `work` for 0 … count - 1, at most `limit` at a time. @throws the first error, once those under way have ended */
export async function forEachLimited(count: number, limit: number, work: (index: number) => Promise<void>) {
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const lane = async (): Promise<void> => {
    while (next < count && failure === undefined) {
      const index = next++
      try {
        await work(index)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, count) }, lane))
  if (failure !== undefined) throw failure.error
}
