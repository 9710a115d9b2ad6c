/** The soak test for six seconds against a broker of ours: too short for trends, long enough for everything else. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { StatusLine } from '../load/status-line.js'
import { parseSoakOptions } from './options.js'
import { runSoak } from './run.js'
import type { Sample } from './sample.js'

for (const version of ['3.1.1', '5']) {
  t.test(`a steady mixed load with MQTT ${version}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'merlot-soak-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const samplesFile = join(folder, 'samples.jsonl')
    const args = `--minutes 0.1 --sample-seconds 1 --rate 500 --protocol ${version} --seed 3 --samples ${samplesFile}`
    const silent = new StatusLine({ isTTY: false, columns: 80, write: () => true })
    const verdict = await runSoak(parseSoakOptions(args.split(' ')), silent, new AbortController().signal)
    t.same(verdict.failures, [])
    t.equal(verdict.memory, undefined, 'too short for a trend')
    for (const { name, counts } of verdict.strands) t.ok(counts.delivered > 0, name)
    for (const { name, done } of verdict.activities) t.ok(done > 0, name)

    const lines = (await readFile(samplesFile, 'utf8')).trimEnd().split('\n')
    t.equal(lines.length, verdict.samples)
    t.ok(lines.length >= 5)
    const last: Sample = JSON.parse(lines[lines.length - 1])
    t.ok(last.deliveredPerSecond > 0 && last.latencyUsP99 > 0)
    if (process.platform === 'linux') t.ok((last.memoryBytes ?? 0) > 1_000_000)
  })
}
