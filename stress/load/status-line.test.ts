import t from 'tap'
import { StatusLine } from './status-line.js'

function recorder(isTTY: boolean): { stream: ConstructorParameters<typeof StatusLine>[0]; written: string[] } {
  const written: string[] = []
  const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0
  return { stream: { isTTY, columns: 20, write }, written }
}

t.test('on a terminal the line is rewritten, cut to the width, and cleared', async (t) => {
  const { stream, written } = recorder(true)
  const line = new StatusLine(stream)
  line.show(() => 'x'.repeat(50))
  line.show(() => 'too soon')
  line.clear()
  line.clear()
  t.same(written, [`\r\x1b[2K${'x'.repeat(19)}`, '\r\x1b[2K'])
})

t.test('elsewhere it is a line of its own every ten seconds, without control characters', async (t) => {
  const { stream, written } = recorder(false)
  let nowMs = 0
  const line = new StatusLine(stream, () => nowMs)
  for (nowMs = 0; nowMs <= 25_000; nowMs += 250) line.show(() => `at ${nowMs}`)
  line.clear()
  t.same(written, ['at 10000\n', 'at 20000\n'])
})
