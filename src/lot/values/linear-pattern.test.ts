import t from 'tap'
import { compileLinearPattern, SEARCHED_LENGTH_MAX } from './linear-pattern.js'

function find(pattern: string, text: string): boolean {
  const { pattern: compiled, problem } = compileLinearPattern(pattern)
  if (compiled === undefined) throw new Error(problem)
  return compiled.find(text)
}

t.test('expressions match anywhere, unless they say where', async (t) => {
  t.ok(find('b', 'abc'))
  t.notOk(find('^b', 'abc'))
  t.notOk(find('^abc$', 'abc\n'))
  t.ok(find('(?i)ABC', 'abc'))
  t.ok(find('^\\p{L}+$', 'Überlauf'))
  t.ok(find('', ''))
})

t.test('what takes others for ever is fast', async (t) => {
  const text = `${'a'.repeat(SEARCHED_LENGTH_MAX - 1)}!`
  const started = performance.now()
  for (const pattern of ['(a+)+$', '^(a|a)*$', '^(\\w|\\d)*$', '(a*)*b', '^(a|aa)+$'])
    t.notOk(find(pattern, text), pattern)
  t.ok(performance.now() - started < 5_000)
})

t.test('what linear time cannot do, and what is too large, is refused', async (t) => {
  for (const pattern of [
    '(a)\\1',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(?>a)',
    'a++',
    '(',
    '(a{1000}){1000}',
    'a{1000}b{1000}c{1000}',
  ]) {
    t.match(compileLinearPattern(pattern), { pattern: undefined, problem: /\w/ }, pattern)
  }
  t.match(compileLinearPattern('a'.repeat(5_000)), { problem: /more than 4096 characters/ })
  t.throws(() => find('a', 'a'.repeat(SEARCHED_LENGTH_MAX + 1)), /too long for a regular expression/)
})
