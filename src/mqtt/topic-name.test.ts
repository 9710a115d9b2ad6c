import fc from 'fast-check'
import t from 'tap'
import * as arbitrary from './packets.arbitraries.js'
import { countTopicLevels, isValidTopicName, topicLevels } from './topic-name.js'

t.test('topic names', async (t) => {
  for (const topic of [
    'a',
    '/',
    '//',
    'a/b',
    '/a',
    'a/',
    '$SYS/x',
    ' ',
    'é/\u{1f4a7}',
    '\ufeffa',
    'A b',
    '\ud7ff',
    '\ue000',
    '\ud800\udc00',
    '\udbff\udfff',
  ]) {
    t.ok(isValidTopicName(topic), JSON.stringify(topic))
  }
  for (const topic of [
    '',
    'a+',
    '#',
    'a/#',
    '+/a',
    'a\0',
    '\ud800',
    'a\udc00',
    '\udfff',
    '\udc00\udc00',
    '\ud800\ue000',
    '\ud800\ud800',
    '\udc00\ud800',
  ]) {
    t.notOk(isValidTopicName(topic), JSON.stringify(topic))
  }
})

t.test('MQTT-4.7.3-3: bytes are counted, not characters', async (t) => {
  t.ok(isValidTopicName('a'.repeat(65_535)))
  t.notOk(isValidTopicName('a'.repeat(65_536)))
  t.ok(isValidTopicName('é'.repeat(32_767)))
  t.notOk(isValidTopicName('é'.repeat(32_768)))
})

t.test('levels', async (t) => {
  t.same(topicLevels('/a//b/'), ['', 'a', '', 'b', ''])
  fc.assert(fc.property(arbitrary.topicName, (topic) => countTopicLevels(topic) === topicLevels(topic).length))
})
