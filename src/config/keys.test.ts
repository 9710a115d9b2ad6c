import t from 'tap'
import { environmentName, readEnvironment } from './environment.js'
import { allKeys, expectedText, nodeAt } from './keys.js'

t.test('every key has a variable of its own that is read back as this key', async (t) => {
  const names = new Map<string, string>()
  for (const [path] of allKeys()) {
    const key = path.map((step) => (step === '*' ? 0 : step))
    const name = environmentName(key)
    t.equal(names.get(name), undefined, `${name} is used once`)
    names.set(name, key.join('.'))
    const { settings, problems } = readEnvironment({ [name]: 'x' })
    t.same(settings, [{ variable: name, path: key, text: 'x' }])
    t.same(problems, [])
  }
  t.equal(names.get('MERLOT_CONNECTION__PACKET_BYTES_MAX_BEFORE_CONNECT'), 'connection.packetBytesMaxBeforeConnect')
})

t.test('what a key wants, in words', async (t) => {
  t.equal(expectedText(nodeAt(['threads', 'shards'])!), 'auto, or a whole number from 1 to 64')
  t.equal(expectedText(nodeAt(['dataDirectory'])!), 'text that is not empty')
  t.equal(expectedText(nodeAt(['session', 'queueQos0'])!), 'true or false')
  t.equal(expectedText(nodeAt(['listeners'])!), 'a list of 1 to 64 entries')
  t.equal(nodeAt(['listeners', 'x']), undefined)
  t.equal(nodeAt(['session', 'toString']), undefined)
})
