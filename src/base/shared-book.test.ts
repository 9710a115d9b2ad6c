import t from 'tap'
import { SharedBook, SharedBookReader } from './shared-book.js'

t.test('a reader finds what was written, and is told what changed', async (t) => {
  const book = new SharedBook()
  const reader = new SharedBookReader()
  const first = book.set('action A', 'text of A')
  book.set('env N', 'ü')
  const changed: string[] = []
  const follow = (): string[] => {
    changed.length = 0
    reader.follow(book.memory, (name) => changed.push(name))
    return [...changed]
  }
  t.same(follow(), ['action A', 'env N'])
  t.same(reader.get('action A'), { text: 'text of A', number: first })
  t.same(follow(), [])
  const second = book.set('action A', 'other')
  book.set('env N', undefined)
  t.same(follow(), ['action A', 'env N'])
  t.same(reader.get('action A'), { text: 'other', number: second })
  t.equal(reader.get('env N'), undefined)
})

t.test('a full book is written anew, and what stayed the same has not changed', async (t) => {
  const book = new SharedBook()
  const reader = new SharedBookReader()
  const number = book.set('stays', 'x')
  book.set('goes', 'x')
  reader.follow(book.memory, () => {})
  const before = book.memory
  for (let i = 0; i < 1_000; i++) book.set('changes', `${i}`.padEnd(500))
  book.set('goes', undefined)
  t.not(book.memory, before)
  const changed: string[] = []
  reader.follow(book.memory, (name) => changed.push(name))
  t.same([...new Set(changed)].sort(), ['changes', 'goes'])
  t.same(reader.get('stays'), { text: 'x', number })
  t.equal(reader.get('changes')?.text.trim(), '999')
  t.equal(reader.get('goes'), undefined)
  reader.follow(before, () => t.fail('older memory tells nothing'))
  t.equal(reader.get('goes'), undefined)
})
