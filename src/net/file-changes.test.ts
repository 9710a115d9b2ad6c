import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileChanges } from './file-changes.js'

t.test('a change counts when it is there at a second look', async (t) => {
  let state = 'a'
  const changes = new FileChanges(['x'], () => state)
  const look = (next: string): boolean => {
    state = next
    return changes.hasSettledChange()
  }
  t.notOk(look('a'))
  t.notOk(look('b'), 'perhaps half of it')
  t.notOk(look('c'))
  t.ok(look('c'))
  t.ok(look('c'), 'until it is known')
  changes.markKnown()
  t.notOk(look('c'))
  t.notOk(look('d'))
  t.notOk(look('c'), 'back again')
  t.notOk(look('c'))
})

t.test('files that are written, renamed over, removed, or behind another link', async (t) => {
  const folder = t.testdir({ one: '1', old: { file: '1' }, new: { file: '1' } })
  const at = (...names: string[]): string => join(folder, ...names)
  symlinkSync('old', at('current'))
  const changes = new FileChanges([at('one'), at('current', 'file')])
  const changesWith = (act: () => void): boolean => {
    act()
    changes.hasSettledChange()
    const found = changes.hasSettledChange()
    changes.markKnown()
    return found
  }
  t.notOk(changesWith(() => {}))
  t.ok(
    changesWith(() => writeFileSync(at('one'), '12')),
    'written',
  )
  t.ok(
    changesWith(() => {
      writeFileSync(at('two'), '12')
      renameSync(at('two'), at('one'))
    }),
    'renamed over by one that is equal',
  )
  t.ok(
    changesWith(() => {
      symlinkSync('new', at('next'))
      renameSync(at('next'), at('current'))
    }),
    'another link to a folder above',
  )
  t.ok(
    changesWith(() => rmSync(at('one'))),
    'removed',
  )
  t.ok(
    changesWith(() => writeFileSync(at('one'), '1')),
    'there again',
  )
})
