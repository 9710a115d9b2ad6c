import t from 'tap'
import { Source } from '../source.js'
import { parseProgram } from './parse.js'
import { dedentCommon, splitEntities } from './split.js'

void t.test('an entity goes from its DEFINE to the next, comments included', async (t) => {
  const text = [
    '',
    '// about the first',
    'DEFINE MODEL One',
    '    ADD INT "a"',
    '    DEFINE is body here',
    '',
    '// about the first, too',
    'DEFINE ACTION Two ON START DO',
    '    PUBLISH TOPIC "x" WITH 1',
    '',
    '',
    'DEFINE PANEL "Green house"',
    'DEFINE VISU Old',
    'DEFINE THING Planned',
    '    NEEDS',
  ].join('\n')
  const entities = splitEntities(text)
  t.same(
    entities.map(({ kind, name, line }) => `${kind} ${name} ${line}`),
    ['model One 2', 'action Two 8', 'panel Green house 12', 'panel Old 13', 'thing Planned 14'],
  )
  t.equal(
    entities[0].text,
    '// about the first\nDEFINE MODEL One\n    ADD INT "a"\n    DEFINE is body here\n\n// about the first, too\n',
  )
  t.equal(entities[1].text, 'DEFINE ACTION Two ON START DO\n    PUBLISH TOPIC "x" WITH 1\n')
  t.equal(entities[4].text, 'DEFINE THING Planned\n    NEEDS')
})

void t.test('line ends stay as they are, a byte order mark goes', async (t) => {
  const text =
    '\uFEFFDEFINE RULE A WITH PRIORITY 150 FOR Connect\r\n    ALLOW\r\n\r\nDEFINE ROUTE B WITH TYPE X\rDEFINE THEME C\n'
  t.same(splitEntities(text), [
    { kind: 'rule', name: 'A', text: 'DEFINE RULE A WITH PRIORITY 150 FOR Connect\r\n    ALLOW\r\n', line: 1 },
    { kind: 'route', name: 'B', text: 'DEFINE ROUTE B WITH TYPE X\r', line: 4 },
    { kind: 'theme', name: 'C', text: 'DEFINE THEME C\n', line: 5 },
  ])
})

void t.test('what a comment hides begins nothing', async (t) => {
  const text = [
    '/* old',
    'DEFINE MODEL Hidden',
    '*/',
    'DEFINE MODEL Seen',
    '    ADD STRING "a" WITH "/*"',
    'DEFINE MODEL Too',
  ]
  t.same(
    splitEntities(text.join('\n')).map(({ name, line }) => `${name} ${line}`),
    ['Seen 1', 'Too 6'],
  )
  const hidden = (comment: string) => splitEntities(`DEFINE MODEL A ${comment}\nDEFINE MODEL B`).length === 1
  t.ok(hidden('/* open'))
  t.ok(hidden('"a" /* one */ /* two'))
  for (const closed of ["/* don't */", '"/*"', "'/*", '"\\"/*', '// /*', '-- /*', '/* // */', '*/'])
    t.notOk(hidden(closed), closed)
  t.same(splitEntities('// only a comment\n'), [])
  t.same(splitEntities(''), [])
})

void t.test('an entity begins where the parser sees one', async (t) => {
  const text = [
    'DEFINE THEME One',
    '    A WITH "1"',
    '',
    '/* about two */ DEFINE ACTION Two ON START DO',
    '    PUBLISH TOPIC "x" WITH 1',
    '/* about',
    'DEFINE THEME Hidden',
    'three */ /* really */ DEFINE /* kind */ RULE /* name */ Three-a.b /* on */ WITH PRIORITY 150 FOR Connect',
    '    ALLOW',
    'define',
    '    theme Four',
    '  /* indented */ DEFINE THEME Five',
    "DEFINE PANEL 'Six \\' seven'",
  ].join('\r\n')
  t.same(
    splitEntities(`\uFEFF${text}`).map(({ kind, name, line }) => `${kind} ${name} ${line}`),
    ['theme One 1', 'action Two 4', 'rule Three-a.b 6', 'theme Four 10', "panel Six ' seven 13"],
  )
  const { program } = parseProgram(new Source('', text))
  t.same(
    program.entities.map(({ name }) => name.text),
    splitEntities(text).map(({ name }) => name),
  )
  t.equal(splitEntities(text)[1].text.split('\r\n')[0], '/* about two */ DEFINE ACTION Two ON START DO')
  for (const one of splitEntities(text)) {
    t.equal(parseProgram(new Source('', one.text)).program.entities.length, 1, one.name)
  }
})

void t.test('the indentation that all lines share is taken away', async (t) => {
  t.equal(dedentCommon('    a\n\n      b\r\n    c'), 'a\n\n  b\r\nc')
  t.equal(dedentCommon('\ta\n\t\tb'), 'a\n\tb')
  t.equal(dedentCommon('  a\n\tb'), '  a\n\tb')
  t.equal(dedentCommon('a\n  b'), 'a\n  b')
  t.equal(dedentCommon('  \n   a\n '), '\na\n')
})
