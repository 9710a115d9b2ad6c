/** Topic names (§4.7): what may be published to. */

/** The most bytes of a topic name or topic filter [MQTT-4.7.3-3]. */
export const TOPIC_BYTES_MAX = 65_535

/** The levels in order; leading, trailing and doubled separators make empty ones. */
export function topicLevels(topic: string): string[] {
  return topic.split('/')
}

/** Separators and one, without splitting. */
export function countTopicLevels(topic: string): number {
  let levels = 1
  for (let index = topic.indexOf('/'); index !== -1; index = topic.indexOf('/', index + 1)) levels += 1
  return levels
}

/**
 * Whether a text of ours (configuration, command line, will) is a topic name: not empty [MQTT-4.7.3-1], no U+0000
 * [MQTT-4.7.3-2], no wildcards [MQTT-4.7.0-1], no lone surrogates, 65,535 bytes of UTF-8 at most [MQTT-4.7.3-3].
 */
export function isValidTopicName(topic: string): boolean {
  return isTopicText(topic) && !topic.includes('#') && !topic.includes('+')
}

/** What topic names and topic filters have in common. */
export function isTopicText(text: string): boolean {
  return text.length > 0 && !text.includes('\0') && !hasLoneSurrogate(text) && fitsInTopic(text)
}

function fitsInTopic(text: string): boolean {
  // a UTF-16 code unit takes three bytes of UTF-8 at most
  return text.length * 3 <= TOPIC_BYTES_MAX || Buffer.byteLength(text) <= TOPIC_BYTES_MAX
}

function hasLoneSurrogate(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0xd800 || unit > 0xdfff) continue
    const next = text.charCodeAt(index + 1)
    const isPair = unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff
    if (!isPair) return true
    index += 1
  }
  return false
}
