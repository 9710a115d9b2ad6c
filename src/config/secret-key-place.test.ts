import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSecretKey } from '../base/secret-key.js'
import { lostKeyWarning } from './secret-key-place.js'

t.test('a key that was lost is warned of, where there is a store of before', async (t) => {
  const first = t.testdir({})
  t.equal(lostKeyWarning({ given: undefined, file: join(first, 'secret.key') }, first), undefined, 'the first start')
  const folder = t.testdir({ store: { 'data.mdb': '' } })
  const place = { given: undefined, file: join(folder, 'secret.key') }
  openSecretKey(place)
  t.equal(lostKeyWarning(place, folder), undefined)
  rmSync(place.file)
  t.match(lostKeyWarning(place, folder), /secret\.key was not there: a new one is made; .* without the old one$/)
  t.equal(lostKeyWarning({ ...place, given: '0'.repeat(64) }, folder), undefined, 'the environment has it')
})
