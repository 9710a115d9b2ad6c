import t from 'tap'
import { encodeText, hashBytes } from '../base/bytes.js'
import { type Topic, Topics } from './topics.js'

function find(topics: Topics, text: string, hash?: number): Topic {
  const bytes = encodeText(text)
  return topics.find(bytes, 0, bytes.length, hash ?? hashBytes(bytes, 0, bytes.length))
}

t.test('a topic is worked out once, until what is read changes', async (t) => {
  const topics = new Topics(() => undefined)
  const topic = find(topics, 'a/b')
  t.notOk(topic.isRead)
  t.equal(find(topics, 'a/b'), topic)
  topics.read('a/#')
  t.ok(find(topics, 'a/b').isRead)
  t.equal(topics.known, 1)
})

t.test('no client fills the memory with topics that it has made for that', async (t) => {
  const topics = new Topics(() => undefined)
  for (let number = 0; number < 2_000; number++) {
    const { text } = find(topics, `same/${number}`, 7)
    if (text !== `same/${number}`) t.fail(`${text} for same/${number}`)
  }
  t.ok(topics.known <= 16, 'topics of one hash')
  const before = topics.known
  const long = 'x'.repeat(513)
  t.equal(find(topics, long).text, long)
  t.equal(topics.known, before, 'long topics')
  for (let number = 0; number < 70_000; number++) find(topics, `${number}`)
  t.ok(topics.known <= 65_536, 'many topics')
})
