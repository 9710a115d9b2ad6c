import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../base/version.js'
import type { CommandDefinition } from './command.js'
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

/** In code, up to what only a shell knows. */
const CALL = /(?<![\w/.-])merlot ([a-z](?:"[^"\n]*"|'[^'\n]*'|[^"'\n`#|;&<>])*)/g
const WORD = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g

t.test('commands that other pages name are there, with their options and what they cannot do without', async (t) => {
  const root = packageFolder()
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file))
  let calls = 0
  for (const file of ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...docs].filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(root, file), 'utf8')
    const blocks = [...text.matchAll(/^```sh.*\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
    const spans = [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].map(([, code]) => code)
    for (const code of [...blocks, ...spans]) {
      for (const [, call] of code.replaceAll('\\\n', ' ').matchAll(CALL)) {
        calls++
        // a span may name a command, and no more
        t.equal(problemOf(call, blocks.includes(code)), undefined, `${file}: merlot ${call}`)
      }
    }
  }
  t.ok(calls > 100)
})

/** @param isWhole it can be typed as it is */
function problemOf(call: string, isWhole: boolean): string | undefined {
  const words = call.match(WORD) ?? []
  if (words[0] === 'help') return undefined
  const found = commandOf(words)
  if (found === undefined)
    return COMMANDS.some(({ name }) => name.startsWith(`${words[0]} `)) && !isWhole ? undefined : 'unknown'
  const { argument, options, name } = found
  const rest = words.slice(name.split(' ').length)
  const given: string[] = []
  for (let at = 0; at < rest.length; at++) {
    const [flag] = rest[at].split('=', 1)
    const option = options.find(({ flags }) => flags.match(/-[\w-]+/g)?.includes(flag))
    if (option !== undefined && option.flags.includes('<') && !rest[at].includes('=')) at++
    else if (option === undefined && /^--?[a-z]/i.test(flag) && flag !== '--help') return `unknown option ${flag}`
    else if (option === undefined) given.push(rest[at])
  }
  if (!isWhole) return undefined
  if (argument !== undefined && argument.count !== 'optional' && given.length === 0) return `no ${argument.name}`
  return given.length > (argument === undefined ? 0 : argument.count === 'many' ? 99 : 1) ? 'too many words' : undefined
}

function commandOf([first, second]: readonly string[]): CommandDefinition | undefined {
  return COMMANDS.find(({ name }) => name === first || name === `${first} ${second}`)
}
