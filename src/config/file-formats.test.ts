import t from 'tap'
import { FileSyntaxError, type ParsedFile, parseJson, parseToml, parseYaml } from './file-formats.js'

function problemOf(parse: (text: string) => ParsedFile, text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (!(error instanceof FileSyntaxError)) throw error
    return error.problems
      .map(
        ({ message, position }) => `${position === undefined ? '-' : `${position.line}:${position.column}`} ${message}`,
      )
      .join('\n')
  }
  return 'accepted'
}

t.test('syntax errors have a place', async (t) => {
  t.match(problemOf(parseYaml, 'a: [1\nb: 2'), /^2:1 /)
  t.match(problemOf(parseYaml, 'a: 1\na: 2'), /^2:1 Map keys must be unique/)
  t.match(problemOf(parseYaml, 'a: 1\n---\nb: 1\n'), /^2:1 .*second one begins here/)
  t.match(problemOf(parseYaml, 'a: *none'), /Unresolved alias/)
  t.match(problemOf(parseJson, '{"a": 1,\n "b": }'), /^2:7 /)
  t.match(problemOf(parseJson, '{"a": 1, "a": 2}'), /Map keys must be unique/)
  t.match(problemOf(parseJson, 'a: 1'), /^1:1 a value is expected/, 'YAML is not JSON')
  t.match(problemOf(parseToml, 'a = 1\nb = \n'), /^2:5 /)
})

t.test('a document that unfolds without bound is refused', async (t) => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (const [name, previous] of ['ba', 'cb', 'dc', 'ed', 'fe']) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${previous}`).join(', ')}]`)
  }
  t.match(problemOf(parseYaml, bomb.join('\n')), /alias/i)
})

t.test('TOML keys have a place', async (t) => {
  const { positions } = parseToml(`# a comment
dataDirectory = """
log = not a key
"""
[session]
  receiveMaximum = 5 # here
"queueQos0" = true
[[listeners]]
type = "tcp"
[[listeners]]
type = "tls"
[listeners.tls]
certFile = 'a.pem'
[log.areas]
session = "debug"
`)
  const places = [...positions].map(([key, { line, column }]) => `${key} ${line}:${column}`)
  t.same(places, [
    'dataDirectory 2:1',
    'session 5:1',
    'session.receiveMaximum 6:3',
    'session.queueQos0 7:1',
    'listeners 8:1',
    'listeners.0 8:1',
    'listeners.0.type 9:1',
    'listeners.1 10:1',
    'listeners.1.type 11:1',
    'listeners.1.tls 12:1',
    'listeners.1.tls.certFile 13:1',
    'log.areas 14:1',
    'log.areas.session 15:1',
  ])
})
