import t from 'tap'
import { mapKey } from './map-key.js'

t.test('texts of which a map would see nothing but the length have short keys', async (t) => {
  const short = 'x'.repeat(16_383)
  t.equal(mapKey(short), short)
  t.equal(mapKey(''), '')
  const long = ['a', 'b', 'c'].map((first) => first + 'x'.repeat(16_383))
  const keys = new Set(long.map(mapKey))
  t.equal(keys.size, 3)
  for (const key of keys) t.match(key, /^\u0000.{44}$/, 'no text that MQTT allows')
  t.equal(mapKey(long[0]), mapKey(`a${'x'.repeat(16_383)}`))
})
