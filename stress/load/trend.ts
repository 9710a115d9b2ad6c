/** One measurement: when, in seconds from any origin, and what. */
export interface Point {
  readonly seconds: number
  readonly value: number
}

const POINTS_MAX = 1_000

/**
 * Theil–Sen estimate: the median of the slopes between all pairs of points. Up to 29 % of the points can be outliers (a
 * garbage collection, a backup of the machine) without any effect on it. More than 1,000 points are first thinned by
 * taking the median of each run of neighbours.
 * @returns the change of the value per second; 0 for fewer than two points in time
 */
export function slopePerSecond(points: readonly Point[]): number {
  const thin = thinned(points)
  const slopes: number[] = []
  for (let i = 0; i < thin.length; i++) {
    for (let j = i + 1; j < thin.length; j++) {
      const seconds = thin[j].seconds - thin[i].seconds
      if (seconds !== 0) slopes.push((thin[j].value - thin[i].value) / seconds)
    }
  }
  return median(slopes)
}

/** @returns the change over the whole span of the points that the slope amounts to */
export function growthOver(points: readonly Point[]): number {
  if (points.length < 2) return 0
  return slopePerSecond(points) * (points[points.length - 1].seconds - points[0].seconds)
}

/** @returns the mean of the two middle values for an even number of them; 0 for none */
export function median(values: readonly number[]): number {
  if (values.length === 0) return 0
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= POINTS_MAX) return points
  const run = Math.ceil(points.length / POINTS_MAX)
  const thin: Point[] = []
  for (let at = 0; at < points.length; at += run) {
    const group = points.slice(at, at + run)
    thin.push({ seconds: median(group.map((p) => p.seconds)), value: median(group.map((p) => p.value)) })
  }
  return thin
}
