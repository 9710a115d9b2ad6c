import { PassThrough } from 'node:stream'
import t from 'tap'
import { ProgressLine } from './progress.js'

function terminal(isTTY: boolean): PassThrough & { isTTY: boolean } {
  return Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY })
}

t.test('one line on a terminal, drawn ten times a second at most, and taken away', async (t) => {
  const stderr = terminal(true)
  let nowMs = 0
  const line = new ProgressLine(stderr, 'working', () => nowMs)
  line.end()
  t.equal(stderr.read(), null)
  line.update(0)
  t.equal(stderr.read(), `\r\u001b[Kworking ${'░'.repeat(24)} 0 %`)
  nowMs += 99
  line.update(0.4)
  t.equal(stderr.read(), null)
  nowMs += 1
  line.update(0.5)
  t.equal(stderr.read(), `\r\u001b[Kworking ${'█'.repeat(12)}${'░'.repeat(12)} 50 %`)
  line.end()
  t.equal(stderr.read(), '\r\u001b[K')
})

t.test('nothing elsewhere', async (t) => {
  const stderr = terminal(false)
  const line = new ProgressLine(stderr, 'working')
  line.update(0.5)
  line.end()
  t.equal(stderr.read(), null)
})
