import type { Plan, SubscriberPlan } from './plan.js'
import type { Random } from './random.js'

export interface WildcardFigures {
  readonly publishers: number
  readonly subscribers: number
  /** Filters per subscriber that share levels with the topics and match none. */
  readonly idleFilters: number
}

const LINES = 5
const CELLS = 5
const SENSORS = 4

const two = (value: number): string => String(value).padStart(2, '0')
const site = (value: number): string => `site-${String(value).padStart(4, '0')}`

/**
 * A plant: prefix/site-0007/line-02/cell-04/sensor-01. A publisher is a site with 100 topics; each subscriber has one
 * filter that matches, of a shape that follows from its number, and many that do not.
 */
export function wildcardPlan(figures: WildcardFigures, prefix: string, random: Random): Plan {
  const { publishers, subscribers } = figures
  const streams = { from: 0, to: publishers * LINES * CELLS * SENSORS }
  return {
    publishers: Array.from({ length: publishers }, (_, index) => ({ topics: topicsOf(`${prefix}/${site(index)}`) })),
    subscribers: Array.from({ length: subscribers }, (_, index): SubscriberPlan => {
      const filter = matchingFilter(prefix, index, publishers)
      const idle = Array.from({ length: figures.idleFilters }, () => idleFilter(prefix, publishers, random))
      return { filters: [filter], idleFilters: [...new Set(idle)], streams, isPartial: true }
    }),
    idleClients: 0,
  }
}

function topicsOf(sitePrefix: string): string[] {
  const topics: string[] = []
  for (let line = 0; line < LINES; line++) {
    for (let cell = 0; cell < CELLS; cell++) {
      for (let sensor = 0; sensor < SENSORS; sensor++) {
        topics.push(`${sitePrefix}/line-${two(line)}/cell-${two(cell)}/sensor-${two(sensor)}`)
      }
    }
  }
  return topics
}

function matchingFilter(prefix: string, index: number, sites: number): string {
  const line = `line-${two(index % LINES)}`
  const cell = `cell-${two(index % CELLS)}`
  const sensor = `sensor-${two(index % SENSORS)}`
  const shapes = [
    `${prefix}/+/${line}/#`,
    `${prefix}/${site(index % sites)}/#`,
    `${prefix}/${site(index % sites)}/+/+/${sensor}`,
    `${prefix}/+/+/${cell}/${sensor}`,
    `${prefix}/+/${line}/+/${sensor}`,
    `${prefix}/+/+/+/+`,
  ]
  return shapes[index % shapes.length]
}

/** Each fails at another level: an unknown sensor, an unknown cell under wildcards, a level too many, a level too few. */
function idleFilter(prefix: string, sites: number, random: Random): string {
  const somewhere = random.integer(100_000)
  const line = `line-${two(random.integer(LINES))}`
  const cell = `cell-${two(random.integer(CELLS))}`
  const shapes = [
    `${prefix}/+/${line}/+/spare-${somewhere}`,
    `${prefix}/${site(random.integer(sites))}/+/spare-${somewhere}/#`,
    `${prefix}/+/${line}/${cell}/+/${somewhere}`,
    `${prefix}/+/spare-${somewhere}`,
  ]
  return shapes[random.integer(shapes.length)]
}
