/** §4.7 of MQTT 5.0: topic names and topic filters. */

import { seconds, type TestBroker } from '../support/broker.js'
import { expectFilterRefused } from '../support/filter-refusal.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement } from '../support/statement.js'

/** The largest topic name or filter in bytes. */
const LONGEST = 65_535

async function receivedTopics(client: RawClient, broker: TestBroker): Promise<readonly string[]> {
  await broker.settle()
  return client.messages.map(({ topic }) => topic)
}

statement('MQTT-4.7.0-1', 'refuses wildcards in a topic name', async (_t, broker) => {
  for (const topic of ['#', '+', 'a/#', 'a/+/b', '+/a', 'a+', 'a#', '#a', '$SYS/#']) {
    for (const qos of [0, 1]) {
      const client = await broker.connect()
      client.sendPublish(topic, 'x', { qos })
      await client.expectDisconnect(0x81, 0x82, 0x90)
    }
  }
})

statement('MQTT-4.7.0-1', 'refuses wildcards in a topic name before version 5', async (_t, broker) => {
  for (const version of [3, 4] as const) {
    const client = await broker.connect({ version })
    client.sendPublish('a/+', 'x', { qos: 1 })
    await client.expectClosed()
  }
})

statement('MQTT-4.7.0-1', 'refuses wildcards in the topic of a will', async (_t, broker) => {
  for (const topic of ['#', 'a/+', 'a+b']) {
    const client = await broker.open()
    client.sendConnect({ clientId: broker.clientIdOf('w'), will: { topic, payload: 'x' } })
    await client.expectRefused()
  }
})

for (const filter of ['a#', '#a', '#/a', 'a/#/b', '##', 'a/#b', 'a/b#', '#/', '#/#', '+#', '/#/']) {
  statement('MQTT-4.7.1-1', `refuses the filter ${filter}`, (_t, broker) => expectFilterRefused(broker, filter))
}

for (const filter of ['a+', '+a', 'a/+b', 'a/b+/c', '++', '+/a+', '$share/g/a+', '+/++/a']) {
  statement('MQTT-4.7.1-2', `refuses the filter ${filter}`, (_t, broker) => expectFilterRefused(broker, filter))
}

/** Filters with topics that they match and topics that they do not, each below the prefix of the test. */
const MATCHING: readonly (readonly [filter: string, matches: readonly string[], others: readonly string[]])[] = [
  ['#', ['a', 'a/b', '/', '', '/a', 'a//b', 'a/b/c/d/e'], []],
  ['a/#', ['a', 'a/', 'a/b', 'a/b/c', 'a//'], ['ab', 'b/a', 'A/b', '/a']],
  ['a/b/#', ['a/b', 'a/b/', 'a/b/c'], ['a', 'a/', 'a/c', 'a/bc']],
  ['/#', ['', '/', '/a', '/a/b'], ['a', 'a/b']],
  ['+', ['a', '', 'a b'], ['a/', '/', 'a/b']],
  ['+/+', ['a/b', '/', '/a', 'a/'], ['a', 'a/b/c', '//']],
  ['/+', ['/a', '/'], ['a', '/a/', 'a/b']],
  ['a/+', ['a/b', 'a/'], ['a', 'a/b/c', 'a/b/']],
  ['a/+/c', ['a/b/c', 'a//c'], ['a/c', 'a/b/c/d', 'a/b/b/c']],
  ['+/b/#', ['a/b', 'a/b/c', '/b'], ['b', 'a/c/b']],
  ['+/+/#', ['a/b', 'a/b/c', '/'], ['a']],
  ['a/b', ['a/b'], ['a/b/', '/a/b', 'a', 'a/B', 'a/bc']],
  ['a//b', ['a//b'], ['a/b', 'a///b', 'a/ /b']],
  ['/', ['/'], ['//', 'a/', '/a']],
]

for (const [filter, matches, others] of MATCHING) {
  statement(['MQTT-4.7.1-1', 'MQTT-4.7.1-2'], `matches topics with the filter ${filter}`, async (t, broker) => {
    const client = await broker.connect()
    await client.subscribe(broker.topic(filter))
    for (const topic of [...matches, ...others]) await broker.publish(broker.topic(topic), 'live', { retain: true })
    const expected = matches.map((topic) => broker.topic(topic))
    t.same(await receivedTopics(client, broker), expected, 'live messages')
    const late = await broker.connect()
    await late.subscribe(broker.topic(filter))
    t.same([...(await receivedTopics(late, broker))].sort(), [...expected].sort(), 'retained messages')
  })
}

for (const filter of ['+/+/status', '+/x/#', '#', '+/#', '$share/g/#', '$share/h/+/+/status']) {
  statement('MQTT-4.7.2-1', `does not match topics that begin with $ with ${filter}`, async (t, broker) => {
    const topic = `$${broker.prefix}/x/status`
    const [wild, exact] = [await broker.connect(broker.owner), await broker.connect(broker.owner)]
    await wild.subscribe(filter, { retainHandling: filter.startsWith('$') ? 0 : 2 })
    await exact.subscribe([[`$${broker.prefix}/#`]])
    const publisher = await broker.connect(broker.owner)
    const code = await publisher.publish(topic, 'x', { qos: 1 })
    if (code < 0x80) await exact.expectMessage('x')
    t.notOk((await receivedTopics(wild, broker)).some((received) => received.startsWith('$')))
  })
}

statement(
  'MQTT-4.7.2-1',
  'keeps $SYS from wildcards in first place, live and retained',
  { config: { sys: { intervalSeconds: 1 } } },
  async (t, broker) => {
    const wild = await broker.connect(broker.owner)
    await wild.subscribe([['#'], ['+/#'], ['+/broker/#'], ['$share/g/#']])
    const exact = await broker.connect(broker.owner)
    await exact.subscribe('$SYS/#')
    await broker.advance(seconds(2))
    while ((await exact.expectPacket('publish')).retain); // until an update comes live
    t.same(await receivedTopics(wild, broker), [])
    const late = await broker.connect(broker.owner)
    await late.subscribe([['#'], ['+/broker/#']])
    t.same(await receivedTopics(late, broker), [])
  },
)

statement('MQTT-4.7.2-1', 'matches a $ that is not the first character', async (t, broker) => {
  const client = await broker.connect()
  await client.subscribe(broker.topic('+/#'))
  for (const topic of ['$a', '$SYS/a', 'a/$b']) await broker.publish(broker.topic(topic), 'x')
  t.same(
    await receivedTopics(client, broker),
    ['$a', '$SYS/a', 'a/$b'].map((topic) => broker.topic(topic)),
  )
})

statement('MQTT-4.7.3-1', 'refuses an empty topic name', async (_t, broker) => {
  for (const version of [3, 4, 5] as const) {
    const client = await broker.connect({ version })
    client.sendPublish('', 'x', { qos: 1 })
    await client.expectDisconnect(0x81, 0x82, 0x90)
  }
})

statement('MQTT-4.7.3-1', 'refuses an empty topic filter', (_t, broker) => expectFilterRefused(broker, ''))

statement('MQTT-4.7.3-1', 'refuses an empty topic in a will', async (_t, broker) => {
  for (const version of [4, 5] as const) {
    const client = await broker.open({ version })
    client.sendConnect({ clientId: broker.clientIdOf('w'), will: { topic: '', payload: 'x' } })
    await client.expectRefused()
  }
})

statement('MQTT-4.7.3-1', 'takes a topic of a single character, and levels without any', async (t, broker) => {
  const client = await broker.connect()
  const topics = ['/', ' ', broker.topic('/'), broker.topic('//'), `/${broker.prefix}`]
  await client.subscribe(topics.map((topic) => [topic] as const))
  for (const topic of topics) await broker.publish(topic, 'x')
  t.same(await receivedTopics(client, broker), topics)
})

statement('MQTT-4.7.3-2', 'refuses U+0000 in topic names and topic filters', async (_t, broker) => {
  for (const text of ['\0', 'a\0', '\0a', 'a/\0/b']) {
    const client = await broker.connect()
    client.sendPublish(text, 'x')
    await client.expectDisconnect(0x81, 0x82, 0x90)
    await expectFilterRefused(broker, text)
  }
})

statement('MQTT-4.7.3-3', 'takes topic names and topic filters of 65,535 bytes', async (t, broker) => {
  const start = broker.topic('')
  const topics = [start.padEnd(LONGEST, 'x'), start + 'ä'.repeat((LONGEST - start.length) >> 1)]
  const client = await broker.connect()
  for (const topic of topics) {
    await client.subscribe(topic)
    await broker.publish(topic, 'x')
    t.equal((await client.expectMessage('x')).topic, topic)
    await client.unsubscribe(topic)
    await broker.publish(topic, 'gone')
  }
  await client.expectNothing()
})

/** Pairs that a careless broker takes for the same topic. */
const ALIKE: Readonly<Record<string, readonly [string, string]>> = {
  'composed and decomposed letters': ['caf\u00e9', 'cafe\u0301'],
  'small and capital letters': ['room', 'Room'],
  'with and without a trailing slash': ['a', 'a/'],
  'with and without a leading slash': ['x/a', 'x//a'],
  'a space and none': ['a', 'a '],
  'percent encoding': ['a b', 'a%20b'],
  'a dot level': ['a/b', 'a/./b'],
  'a dot-dot level': ['b', 'a/../b'],
  'full-width letters': ['a', '\uff41'],
  'a zero-width space': ['ab', 'a\ufeffb'],
  'a soft hyphen': ['ab', 'a\u00adb'],
  'a letter beyond the basic plane': ['\u{1d400}', 'A'],
  'an unassigned character': ['a\u{e0fff}', 'a'],
}

for (const [what, [one, other]] of Object.entries(ALIKE)) {
  statement('MQTT-4.7.3-4', `tells topics apart: ${what}`, async (t, broker) => {
    for (const [subscribed, published] of [
      [one, other],
      [other, one],
    ] as const) {
      const client = await broker.connect()
      await client.subscribe(broker.topic(subscribed))
      await broker.publish(broker.topic(published), 'not for this one')
      await broker.publish(broker.topic(subscribed), 'for this one')
      t.equal((await client.expectMessage('for this one')).topic, broker.topic(subscribed))
    }
  })
}

behaviour('takes a $ topic of a client or refuses it without harm', async (t, broker) => {
  const client = await broker.connect()
  const code = await client.publish(`$${broker.prefix}/a`, 'x', { qos: 1 })
  t.ok([0x00, 0x10, 0x87, 0x90].includes(code))
})
