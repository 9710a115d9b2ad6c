import t from 'tap'
import { compileRegex } from './regex.js'
import { findExponential } from './regex-danger.js'

const DANGEROUS = [
  '(a+)+$',
  '(a*)*b',
  '(?:\\d+)*x',
  '([a-z]+)*\\d',
  '(a|a)*b',
  '(a|ab)*c',
  '^(\\w+\\s?)*$',
  '(.*)*x',
  '(.+,?)+;',
  '((a+)b?)+c',
  '(x+x+)+y',
  '(?i)([a-z]+[A-Z]?)*1',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(a{1,20}){1,20}b',
]

const HARMLESS = [
  '\\d+',
  '(?<=id=)\\d+',
  '^[a-z]+@[a-z]+\\.com$',
  '(\\d+,)*\\d+',
  '(?:[^,]*,){3}',
  '(ab|cd)*',
  '(a|b)+',
  '"([^"\\\\]|\\\\.)*"',
  '^-?\\d+(\\.\\d+)?$',
  '(\\w+\\s)*end',
  '(a+){2}',
  '([0-9]{1,3}\\.){3}[0-9]{1,3}',
  '[A-Z][a-z]+( [A-Z][a-z]+)*',
]

t.test('patterns that can blow up are told in words', (t) => {
  for (const pattern of DANGEROUS) t.type(findExponential(pattern), 'string', pattern)
  t.equal(findExponential('x(a+)+$'), '"(a+)+" repeats "a+", which is a repetition of the same characters')
  t.equal(findExponential('(a|ab)*c'), '"(a|ab)*" repeats alternatives that can begin with the same character')
  t.end()
})

t.test('patterns that cannot are left alone', (t) => {
  for (const pattern of HARMLESS) t.equal(findExponential(pattern), undefined, pattern)
  t.end()
})

t.test('what is no pattern is left to the compiler', (t) => {
  for (const pattern of ['(', '[', 'a)', '(?P<x>a)', '\\', '('.repeat(5_000)])
    t.doesNotThrow(() => findExponential(pattern))
  t.end()
})

t.test('the syntax of .NET, as far as it can be had', (t) => {
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['(?i)ab', 'xAB ab', ['AB', 'ab']],
    ['(?<n>\\d)\\k<n>', '1122', ['11', '22']],
    ["(?'n'\\d)x", '1x', ['1x']],
    ['\\Aa', 'aa', ['a']],
    ['a\\z', 'aa', ['a']],
    ['a(?#note)b', 'ab', ['ab']],
    ['\\p{Lu}', 'aÄB', ['Ä', 'B']],
    ['[+*]+', '+*', ['+*']],
    ['\\++', '++', ['++']],
  ]
  for (const [pattern, text, expected] of rows) {
    t.strictSame([...(text.match(compileRegex(pattern).regex ?? /(?!)/) ?? [])], expected, pattern)
  }
  for (const pattern of ['(?>a)', 'a++', '(?(a)b|c)', '(?x)a', 'a(?i)b', '(', '\\Ga']) {
    t.type(compileRegex(pattern).problem, 'string', pattern)
  }
  t.end()
})
