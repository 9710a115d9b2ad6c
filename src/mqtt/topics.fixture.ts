/** Topic names and filters over a small alphabet, so that they meet often: empty levels, `$` and all wildcards. */
import fc from 'fast-check'

const level = fc.constantFrom('', 'a', 'b', '$', '$SYS', 'ab')
const filterLevel = fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constant('+') })

export const topicName = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '')

export const topicFilter = fc
  .tuple(fc.array(filterLevel, { maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '')

/** `a/a/a…`: every level exists at every depth. */
export function deepTopic(levels: number): string {
  return Array(levels).fill('a').join('/')
}
