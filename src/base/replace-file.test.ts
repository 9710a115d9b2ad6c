import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { replaceFile, replaceFileSync } from './replace-file.js'

for (const [name, replace] of [
  ['later', replaceFile],
  ['at once', async (path: string, text: string) => replaceFileSync(path, text)],
] as const) {
  t.test(`a file is replaced as a whole, ${name}`, async (t) => {
    const folder = t.testdir({ elsewhere: 'of somebody else' })
    const path = join(folder, 'file')
    await replace(path, 'one')
    t.equal(readFileSync(path, 'utf8'), 'one')
    if (process.platform !== 'win32') {
      t.equal(statSync(path).mode & 0o777, 0o600)
      symlinkSync(join(folder, 'elsewhere'), `${path}.new`)
    } else writeFileSync(`${path}.new`, 'of a broker that was killed')
    await replace(path, 'two')
    t.equal(readFileSync(path, 'utf8'), 'two')
    t.equal(readFileSync(join(folder, 'elsewhere'), 'utf8'), 'of somebody else', 'no link is followed')
    t.same(readdirSync(folder).sort(), ['elsewhere', 'file'], 'nothing is left behind')

    mkdirSync(`${path}.new`)
    await t.rejects(replace(path, 'three'), 'what is in the way is no file')
    t.equal(readFileSync(path, 'utf8'), 'two', 'as it was')
    await t.rejects(replace(join(folder, 'missing', 'file'), 'x'), { code: 'ENOENT' })
    t.notOk(existsSync(join(folder, 'missing')))
  })
}
