import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../src/base/version.js'
import { wrongImports } from './check-imports.js'

t.test('imports of this project point one way', async (t) => {
  t.same(wrongImports(packageFolder()), [])
})

t.test('a wrong import is found', async (t) => {
  const folder = t.testdir({})
  for (const name of ['src/base', 'src/broker', 'storage', 'workers'])
    mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'src/base/ring.ts'), "import { Session } from '../broker/session.js'\n")
  writeFileSync(join(folder, 'src/broker/session.ts'), "import type {\n  Piscina,\n} from 'piscina'\n")
  writeFileSync(join(folder, 'src/base/log.ts'), "const { Journal } = await import('../../storage/journal.js')\n")
  const wrong = wrongImports(folder).map(({ file, reason }) => `${file}: ${reason}`)
  t.same(wrong.sort(), [
    'src/base/log.ts: src/base may not import from storage',
    'src/base/ring.ts: src/base may not import from src/broker',
    'src/broker/session.ts: only src/actors/piscina-library.ts imports piscina',
  ])
})
