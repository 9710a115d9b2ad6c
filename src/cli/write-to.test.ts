import { PassThrough } from 'node:stream'
import t from 'tap'
import { writeTo } from './write-to.js'

t.test('a reader that is slow is waited for, and listened to no longer than that', async (t) => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const before = [stream.listenerCount('drain'), stream.listenerCount('close')]
  for (let i = 0; i < 3; i++) {
    let isWritten = false
    const writing = writeTo(stream, 'text').then(() => {
      isWritten = true
    })
    await new Promise(setImmediate)
    t.equal(isWritten, false, 'nobody has read')
    stream.read()
    await writing
    t.same([stream.listenerCount('drain'), stream.listenerCount('close')], before)
  }
})

t.test('nobody is waited for who goes away', async (t) => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const writing = writeTo(stream, 'text')
  stream.destroy()
  await writing
  t.equal(stream.destroyed, true)
  await writeTo(stream, 'more')
})
