import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileLines } from './file-lines.js'

async function all(path: string): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of fileLines(path)) lines.push(text)
  return lines
}

t.test('lines as they are, also across chunks', async (t) => {
  const path = join(t.testdir({}), 'x')
  const long = 'ä'.repeat(1_500_000)
  for (const lines of [[], ['a'], ['', 'a\u2028b', '', 'c'], [long, 'x', long, long]]) {
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
    t.ok(JSON.stringify(await all(path)) === JSON.stringify(lines), `${lines.length} lines`)
  }
  writeFileSync(path, 'a\nb')
  t.same(await all(path), ['a', 'b'], 'the last one need not end')
})

t.test('how far it is', async (t) => {
  const path = join(t.testdir({}), 'x')
  writeFileSync(path, `${'x'.repeat(1_048_575)}\n${'y'.repeat(1_048_575)}\n`)
  const shares: number[] = []
  for await (const { share } of fileLines(path)) shares.push(share)
  t.same(shares, [0.5, 1])
})

t.test('what cannot be read', async (t) => {
  const folder = t.testdir({})
  await t.rejects(all(join(folder, 'none')), { code: 'FILE_UNREADABLE' })
  mkdirSync(join(folder, 'sub'))
  await t.rejects(all(join(folder, 'sub')), { code: 'FILE_UNREADABLE' })
})
