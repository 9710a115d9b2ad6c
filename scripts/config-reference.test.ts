import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { allKeys } from '../src/config/keys.js'
import { loadConfig } from '../src/config/load.js'
import { CONFIG_REFERENCE_FILE, configReference } from './config-reference.js'

t.test('docs/configuration.md is what the schema says', async (t) => {
  t.equal(
    readFileSync(CONFIG_REFERENCE_FILE, 'utf8'),
    configReference(),
    'run `npm run docs` after a change of the schema',
  )
})

t.test('every key has a meaning and stands in the page', async (t) => {
  const page = configReference()
  for (const [path, node] of allKeys()) {
    if (path.join() === 'listeners') continue // has a section of its own
    const key = `\`${path.join('.').replaceAll('.*', '[]')}\``
    t.ok(page.includes(`| ${key} |`), key)
    if (path[1] !== 'areas') t.not(node.doc, '', `${key} is documented`)
  }
})

t.test('the examples in the documentation are valid', async (t) => {
  const folder = t.testdir({})
  const load = (page: string, format: string) =>
    [...readFileSync(join(dirname(CONFIG_REFERENCE_FILE), page), 'utf8').matchAll(/```(\w+)(?: run)?\n(.*?)```/gs)]
      .filter(([, language]) => language === format)
      .map(([, , text]) => {
        writeFileSync(join(folder, `example.${format}`), text!)
        return loadConfig({ flags: { config: `example.${format}` }, environment: {}, workingDirectory: folder }).config
      })
  t.same(load('configuration.md', 'toml'), load('configuration.md', 'yaml'), 'YAML and TOML say the same')
  t.equal(load('configuration.md', 'toml').length, 1)
  t.equal(load('getting-started.md', 'yaml').length, 2)
})
