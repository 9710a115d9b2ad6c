/** Pages about LoT as a reader would follow them: files written, commands typed. */
import t, { type Test } from 'tap'
import { ExampleRunner, readPage, until } from './docs-examples.fixture.js'

const FENCE = /^```(lot|python|yaml|sh)(?: (run|check))?\n([\s\S]*?)^```$/gm

t.test('the tutorial', { timeout: 120_000 }, async (t) => {
  const runner = await follow(t, 'docs/lot/tutorial.md', 6)
  await runner.run('merlot pub -t boiler/west/pressure -m 5.5')
  const reader = runner.running.find(({ command }) => command.includes("'boiler/#' -v"))
  for (const line of ['boiler/west/alarm {"state":"normal","pressure":5.5}', 'boiler/west/trend steady']) {
    await until(reader!, () => reader!.stdout.includes(`${line}\n`))
    t.pass(line)
  }
  await runner.stop()
})

t.test('testing', { timeout: 60_000 }, async (t) => {
  const runner = await follow(t, 'docs/lot/testing.md', 2)
  await t.rejects(runner.run('merlot lot run plant/oven.lot --topic oven/3/temp --payload 251 --action Nobody'))
  await runner.stop()
})

/** With a broker that runs. A block belongs to the file that was named last before it. */
async function follow(t: Test, name: string, files: number): Promise<ExampleRunner> {
  const runner = ExampleRunner.create(t)
  await runner.run('npx merlot start')
  const page = readPage(name)
  let behind = 0
  let written = 0
  for (const match of page.matchAll(FENCE)) {
    const [block, language, mark, text] = match
    const file = [...page.slice(behind, match.index).matchAll(/file\s`([^`]+)`/g)].at(-1)?.[1]
    behind = match.index + block.length
    if (language !== 'sh') {
      t.ok(file, `the file of ${text!.split('\n', 1)[0]}`)
      runner.writeFile(file!, text!)
      written++
    } else if (mark === 'run') for (const command of text!.trim().split('\n')) await runner.run(command)
  }
  t.equal(written, files, 'files are written')
  for (const [sentence, line] of page.matchAll(/terminal prints `([^`]+)`/g)) {
    const reader = runner.running.find(({ command }) => command.includes("'boiler/#' -v"))
    await until(reader!, () => reader!.stdout.includes(`${line}\n`))
    t.pass(sentence)
  }
  return runner
}
