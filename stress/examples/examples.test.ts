/** Every project in examples/ does on a broker, over MQTT, what its test file says. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../../src/base/version.js'
import { readTestFile, type TestFileContent } from '../../src/lot-simulator/test-file.js'
import { DeployedExample } from './deployed-example.fixture.js'

process.env.TZ = 'UTC'
const folder = join(packageFolder(), 'examples')
const projects = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

t.ok(projects.length >= 6)

for (const project of projects) {
  t.test(project, { timeout: 120_000 }, async (t) => {
    const files = readdirSync(join(folder, project))
    t.ok(files.includes('README.md'))
    t.ok(readFileSync(join(folder, 'README.md'), 'utf8').includes(`(${project}/README.md)`), 'it is in the list')
    const tests = files.filter((file) => file.endsWith('.test.lot.yaml'))
    t.ok(tests.length > 0)
    for (const file of tests) {
      const content = readTestFile(readFileSync(join(folder, project, file), 'utf8')) as TestFileContent
      const example = await DeployedExample.start(t, join(folder, project), content.time)
      for (const test of content.cases) t.same(await example.play(test), [], `${file}: ${test.name}`)
    }
  })
}
