import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startTrail, type TestTrail } from './trail.fixture.js'

const FIRST = 'audit-000001-2025-06-15.jsonl'
const SECOND = 'audit-000002-2025-06-16.jsonl'

/** Two files: the first has 4 lines, the second 4 more. */
async function twoDays(t: Test): Promise<TestTrail> {
  const test = await startTrail(t)
  await test.logIn('ann', 'bob')
  test.clock.nowMs += 86_400_000
  await test.logIn('cid', 'dan')
  await test.trail.close()
  return test
}

/** Changes the lines of a file, without making hashes anew. */
function edit(test: TestTrail, name: string, change: (lines: string[]) => readonly string[]): void {
  writeFileSync(
    test.path(name),
    change(test.lines(name))
      .map((line) => `${line}\n`)
      .join(''),
  )
}

t.test('a trail that nobody has touched', async (t) => {
  const test = await twoDays(t)
  t.match(await test.verify(), {
    records: 8,
    files: [
      { name: FIRST, records: 4, firstMs: test.clock.nowMs - 86_400_000, lastMs: test.clock.nowMs - 86_400_000 },
      { name: SECOND, records: 4 },
    ],
    breaks: [],
    notes: [],
  })
})

t.test('an empty folder, and none', async (t) => {
  const test = await twoDays(t)
  for (const name of [...test.files(), 'head.json']) rmSync(test.path(name))
  t.match(await test.verify(), { records: 0, files: [], breaks: [] })
  rmSync(test.folder, { recursive: true })
  t.match(await test.verify(), { records: 0, files: [], breaks: [] })
})

const ATTACKS: readonly [what: string, attack: (test: TestTrail) => void, first: string | RegExp][] = [
  [
    'a changed record',
    (test) => edit(test, FIRST, (lines) => lines.map((line) => line.replace('"ann"', '"eve"'))),
    `${FIRST}:3: this record, or the end of the one before, was changed`,
  ],
  [
    'a changed time',
    (test) => edit(test, SECOND, (lines) => lines.map((line, at) => (at === 1 ? line.replace('T1', 'T0') : line))),
    new RegExp(`^${SECOND}:2: this record`),
  ],
  [
    'a removed record',
    (test) => edit(test, FIRST, ([a, b, , d]) => [a!, b!, d!]),
    `${FIRST}:3: record 4 follows record 2: records were removed, put between, or changed places`,
  ],
  [
    'records in another order',
    (test) => edit(test, FIRST, ([a, b, c, d]) => [a!, b!, d!, c!]),
    `${FIRST}:3: record 4 follows record 2: records were removed, put between, or changed places`,
  ],
  [
    'a repeated record',
    (test) => edit(test, FIRST, ([a, b, c, d]) => [a!, b!, b!, c!, d!]),
    new RegExp(`^${FIRST}:3: `),
  ],
  [
    'an empty line',
    (test) => edit(test, FIRST, ([a, ...rest]) => [a!, '', ...rest]),
    `${FIRST}:2: it is no record of a trail`,
  ],
  [
    'the end cut off',
    (test) => edit(test, SECOND, (lines) => lines.slice(0, 2)),
    'records 7 to 8 are missing at the end',
  ],
  [
    'the end of a file in the middle cut off',
    (test) => edit(test, FIRST, (lines) => lines.slice(0, 3)),
    `${SECOND}:1: record 5 follows record 3: records were removed, put between, or changed places`,
  ],
  [
    'half a line within',
    (test) => truncateSync(test.path(FIRST), 300),
    /^audit-000001-2025-06-15.jsonl:2: it is no record/,
  ],
  ['an empty file', (test) => truncateSync(test.path(FIRST)), `${FIRST}:1: the file is empty`],
  ['the first file removed', (test) => rmSync(test.path(FIRST)), `files 1 to 1 are missing, in front of ${SECOND}`],
  ['the last file removed', (test) => rmSync(test.path(SECOND)), 'records 5 to 8 are missing at the end'],
  ['no head', (test) => rmSync(test.path('head.json')), /^head.json is missing/],
  ['a head that is none', (test) => writeFileSync(test.path('head.json'), '[1]'), /^head.json is damaged/],
  [
    'the end cut off, and a head that says so',
    (test) => {
      edit(test, SECOND, (lines) => lines.slice(0, 2))
      const { seq, hash } = JSON.parse(test.lines(SECOND)[1]!) as { seq: number; hash: string }
      const head = JSON.parse(readFileSync(test.path('head.json'), 'utf8')) as object
      writeFileSync(test.path('head.json'), JSON.stringify({ ...head, seq, hash }))
    },
    'head.json is not signed with this key',
  ],
  [
    'an older head',
    (test) => {
      const head = test.path('head.json')
      const text = readFileSync(head, 'utf8')
      writeFileSync(head, text.replace(/,"mac".*/, '}'))
    },
    'head.json is not signed with this key',
  ],
  [
    'a file of another trail',
    (test) => renameSync(test.path(SECOND), join(test.folder, FIRST)),
    /^audit-000001-2025-06-15.jsonl:1: record 5 follows record 0/,
  ],
  [
    'a line without an end',
    (test) => writeFileSync(test.path(FIRST), 'x'.repeat(1_000_000)),
    `${FIRST}:1: it is no record of a trail`,
  ],
]

for (const [what, attack, first] of ATTACKS) {
  t.test(what, async (t) => {
    const test = await twoDays(t)
    attack(test)
    const { breaks } = await test.verify()
    t.match(breaks[0], first)
    t.ok(breaks.length <= 20)
  })
}

t.test('a chain that was made anew throughout is found by the head', async (t) => {
  const test = await twoDays(t)
  const head = readFileSync(test.path('head.json'))
  for (const name of [...test.files(), 'head.json']) rmSync(test.path(name))
  test.clock.nowMs -= 86_400_000
  await test.start()
  await test.logIn('eve', 'bob')
  test.clock.nowMs += 86_400_000
  await test.logIn('cid', 'dan')
  await test.trail.close()
  writeFileSync(test.path('head.json'), head)
  t.match((await test.verify()).breaks, ['record 8 is another one than head.json says'])
})

t.test('a broker that writes meanwhile', async (t) => {
  const test = await startTrail(t)
  await test.logIn('ann')
  test.append('{"seq":4,"time"')
  t.match(await test.verify(), { records: 3, breaks: [], notes: [/:4: incomplete/] })
})
