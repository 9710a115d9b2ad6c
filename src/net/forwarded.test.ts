import t from 'tap'
import { isForwarded } from './forwarded.js'

t.test('requests that a proxy has passed on', async (t) => {
  for (const name of ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip']) {
    t.ok(isForwarded({ host: 'plant.example', [name]: '127.0.0.1' }), name)
  }
  t.ok(isForwarded({ forwarded: '' }), 'whatever it says')
  t.notOk(isForwarded({ host: 'x-forwarded-for', origin: 'http://localhost', 'user-agent': 'via' }))
})
