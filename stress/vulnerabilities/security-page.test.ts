/** docs/security.md names tests that exist, and every file of tests against attacks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../../src/base/version.js'

const FOLDER = 'stress/vulnerabilities'
const CITED = /`([\w./-]+\.test\.ts)` "([^"]+)"/g

const root = packageFolder()
const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8')
const rows = page.split('\n').filter((line) => /^\| (?!-|attack |attack or|who )/.test(line) && !line.startsWith('|--'))

t.test('each attack has a test that exists', async (t) => {
  t.ok(rows.length > 40, 'the tables are found')
  for (const row of rows) {
    const cited = [...row.matchAll(CITED)]
    if (cited.length === 0) t.fail(`no test is named: ${row}`)
    for (const [, file, name] of cited) {
      const path = join(root, file!)
      if (!existsSync(path)) t.fail(`${file} does not exist`)
      // a long name stands on a line of its own
      else if (!readFileSync(path, 'utf8').replace(/\(\s+/g, '(').includes(`('${name}'`)) t.fail(`${file}: ${name}`)
    }
  }
})

t.test('each file of tests against attacks is named', async (t) => {
  const files = readdirSync(join(root, FOLDER)).filter((name) => name.endsWith('.test.ts'))
  for (const file of files.filter((name) => !name.startsWith('security-page'))) {
    t.ok(page.includes(`\`${FOLDER}/${file}\``), file)
  }
})
