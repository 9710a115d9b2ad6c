/** What the documentation tells readers to type works, and does what it says. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../src/base/version.js'
import { ExampleRunner, readPage, runnableBlocks, until } from './docs-examples.fixture.js'

const PAGES = ['README.md', 'docs/getting-started.md', 'docs/command-line.md', 'docs/store.md']

for (const name of PAGES) {
  t.test(`examples of ${name}`, { timeout: 90_000 }, async (t) => {
    const page = readPage(name)
    const runner = ExampleRunner.create(t)
    const blocks = runnableBlocks(page)
    t.ok(blocks.length > 2)
    for (const { language, text } of blocks) {
      if (language === 'yaml') runner.writeConfiguration(text)
      else for (const command of text.trim().split('\n')) await runner.run(command)
    }
    for (const [sentence, line] of page.matchAll(/terminal prints `([^`]+)`/g)) {
      const reader = runner.running.find(({ command }) => command.includes("'boiler/#' -v"))
      await until(reader!, () => reader!.stdout.includes(`${line}\n`))
      t.pass(sentence)
    }
    const [broker] = runner.running
    for (const line of bannerOf(page)) t.ok(general(broker!.stdout).includes(line), line)
    await runner.stop()
    for (const { command, stderr } of runner.running) t.notMatch(stderr, /^merlot:/m, command)
  })
}

t.test('npm start is what the examples stand for', async (t) => {
  const { scripts, bin } = JSON.parse(readPage('package.json')) as Record<string, Record<string, string>>
  t.equal(scripts!.start, `npm run --silent build && node ${bin!.merlot} start`)
})

t.test('links between pages lead somewhere', async (t) => {
  const root = packageFolder()
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file))
  const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  const top = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
  const pages = [...top, ...docs, ...examples.map((file) => join('examples', file))]
  for (const page of pages.filter((file) => file.endsWith('.md'))) {
    for (const [, target] of readPage(page).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file, anchor] = target!.split('#')
      const path = file === '' ? page : join(dirname(page), file!)
      t.ok(existsSync(join(root, path)), `${page} → ${path}`)
      if (anchor !== undefined) t.ok(anchorsOf(readPage(path)).includes(anchor), `${page} → ${target}`)
    }
  }
})

/** The lines that a page shows as those of a broker that was started, ports and places left out. */
function bannerOf(page: string): string[] {
  const block = /^```text\n([\s\S]*?listening on[\s\S]*?)^```$/m.exec(page)
  return block === null ? [] : general(block[1]!).trim().split('\n')
}

function general(text: string): string {
  return text
    .replace(/^Merlot .*$/m, 'Merlot VERSION')
    .replace(/^data folder: .*$/m, 'data folder: FOLDER')
    .replace(/(\/\/127\.0\.0\.1:)\d+/g, '$1PORT')
    .replace(/ -p \d+/g, '')
    .replace(/npx merlot/g, 'merlot')
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
