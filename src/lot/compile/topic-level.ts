/** TOPIC POSITION. */

/** @param position from 1 @returns the level of `topic`; empty text if there is none */
export function topicLevel(topic: string, position: number): string {
  let start = 0
  for (let level = 1; level < position; level++) {
    start = topic.indexOf('/', start) + 1
    if (start === 0) return ''
  }
  const end = topic.indexOf('/', start)
  return end < 0 ? topic.slice(start) : topic.slice(start, end)
}
