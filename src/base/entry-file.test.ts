import { existsSync } from 'node:fs'
import t from 'tap'
import { entryFile } from './entry-file.js'

t.test('compiled module by module, they are where their sources are; packed, beside the program', async (t) => {
  for (const name of ['shard', 'connection', 'storage', 'lot', 'lot-runner', 'python', 'sandbox-process'] as const) {
    t.ok(existsSync(entryFile(name)), name)
    t.equal(entryFile(name, 'file:///opt/merlot/dist/bin/merlot.js').href, `file:///opt/merlot/dist/bin/${name}.js`)
  }
})
