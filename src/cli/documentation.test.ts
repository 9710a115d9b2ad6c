import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../base/version.js'
import { allCommands } from './commands.js'
import { ExitCode } from './exit.js'

const COMMANDS = await allCommands()

const page = readFileSync(join(packageFolder(), 'docs', 'command-line.md'), 'utf8')

t.test('docs/command-line.md has every command, option and example as the program tells them', async (t) => {
  for (const { name, summary, options, examples } of COMMANDS) {
    t.ok(page.includes(`\n## merlot ${name}\n`), name)
    t.ok(page.includes(`| ${summary} |`), summary)
    for (const { flags, doc } of options) t.ok(page.includes(`| \`${flags}\` | ${doc} |`), `${name} ${flags}: ${doc}`)
    for (const example of examples) t.ok(page.includes(`\n${example}\n`), example)
  }
})

t.test('and no option that is not there', async (t) => {
  const known = new Set(COMMANDS.flatMap(({ options }) => options.map(({ flags }) => flags)))
  const documented = [...page.matchAll(/^\| `(-[^`]+)` \|/gm)].map(([, flags]) => flags!)
  t.same(
    documented.filter((flags) => !known.has(flags)),
    [],
  )
  t.ok(documented.length > 40)
})

t.test('and every exit code', async (t) => {
  for (const code of Object.values(ExitCode)) t.match(page, new RegExp(`^\\| ${code} \\| `, 'm'))
})
