import t from 'tap'
import { pythonText, scriptName } from './script.js'

t.test('the header names the script', async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['# Script Name: Boiler\nx = 1', 'Boiler'],
    ['#script name:Boiler', 'Boiler'],
    ['"""text"""\n  # Script Name: Boiler_2  \r\nx = 1', 'Boiler_2'],
    ['# @name Old\nx = 1', 'Old'],
    ['# @name Old\n# Script Name: New', 'New'],
    ['# Script Name: two words', undefined],
    ['# Script Name: 2nd', undefined],
    ['x = 1', undefined],
  ]
  for (const [text, name] of cases) t.equal(scriptName(text), name, JSON.stringify(text))
})

t.test('line ends and the byte order mark do not reach Python', async (t) => {
  t.equal(pythonText('\uFEFFa\r\nb\rc\n'), 'a\nb\nc\n')
})
