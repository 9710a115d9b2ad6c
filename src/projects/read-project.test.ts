import t from 'tap'
import type { ProjectFile } from './project-files.js'
import { countsOf, manifestOf, readProject } from './read-project.js'

function file(path: string, text: string | readonly object[]): ProjectFile {
  return { path, bytes: Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)) }
}

function lot(value: string): object {
  return { kind: 2, language: 'lot', value }
}

const ACTION = (name: string): string => `DEFINE ACTION ${name}\nON TOPIC "a" DO\n    PUBLISH TOPIC "b" WITH "1"\n`
const MODEL = (name: string): string => `DEFINE MODEL ${name} WITH TOPIC "m"\n    ADD "x" WITH TOPIC "a"\n`

t.test('kinds in the order of loading, within a kind as the files have them; places are kept', (t) => {
  const { entities, errors, warnings } = readProject([
    file('README.md', 'DEFINE ACTION NotThis'),
    file('a.lotnb', [
      { kind: 1, language: 'markdown', value: '# Plant' },
      lot(`${ACTION('First')}\n${MODEL('Shape')}`),
      { kind: 2, language: 'python', value: '# Script Name: Scale\ndef f(x):\n    return x\n' },
      { kind: 2, language: 'shellscript', value: 'echo DEFINE ACTION Never' },
      lot(''),
    ]),
    file('b.lot', `\n\n${ACTION('Second')}`),
    file('scripts/c.py', '# Script Name: Other\n'),
    file('data.csv', 'DEFINE ACTION NotThis'),
  ])
  t.same(errors, [])
  t.same(warnings, [])
  t.same(
    entities.map(({ kind, name, file, cell, line }) => [kind, name, file, cell, line]),
    [
      ['model', 'Shape', 'a.lotnb', 2, 5],
      ['action', 'First', 'a.lotnb', 2, 1],
      ['action', 'Second', 'b.lot', undefined, 3],
      ['python', 'Scale', 'a.lotnb', 3, 1],
      ['python', 'Other', 'scripts/c.py', undefined, 1],
    ],
  )
  t.match(entities[0]!.source, /^DEFINE MODEL Shape/)
  t.match(countsOf(entities), { model: 1, action: 2, route: 0, rule: 0, python: 2, theme: 0, panel: 0 })
  t.end()
})

t.test('a THING is for people', (t) => {
  const { entities, warnings } = readProject([file('a.lot', `${ACTION('A')}DEFINE THING Pump\n`)])
  t.match(entities, [{ name: 'A' }])
  t.same(warnings, ['a.lot line 4: a THING is not deployed'])
  t.end()
})

t.test('what is defined twice', (t) => {
  const { entities, warnings } = readProject([file('a.lot', ACTION('A')), file('b.lotnb', [lot(ACTION('A'))])])
  t.match(entities, [{ name: 'A', file: 'b.lotnb', cell: 1 }])
  t.same(warnings, ['action A is defined in a.lot line 1 and again in b.lotnb cell 1 line 1; the last one holds'])
  t.end()
})

t.test('what cannot be read is told, and the rest stays', (t) => {
  const { entities, errors } = readProject([
    file('a.lotnb', [{ kind: 2, language: 'rust', value: '' }, lot(ACTION('A'))]),
    file('b.lotnb', '{'),
    { path: 'c.lot', bytes: Buffer.from([0xff, 0xfe, 0x00]) },
    file('d.py', 'x = 1'),
    file('e.lot', '    SET "x" WITH 1\n'),
    file('f.lot', '// nothing but a comment\n'),
  ])
  t.match(entities, [{ name: 'A' }])
  t.match(errors, [
    { file: 'a.lotnb', cell: 1, message: /"language"/ },
    { file: 'b.lotnb', message: /JSON array/ },
    { file: 'c.lot', message: /not UTF-8/ },
    { file: 'd.py', kind: 'python', message: /# Script Name: Identifier/ },
    { file: 'e.lot', message: /nothing here begins with DEFINE/ },
  ])
  t.equal(errors.length, 5)
  t.end()
})

t.test('a script of an old notebook gets its header', (t) => {
  const cell = { kind: 2, language: 'python', value: 'def f(): pass', scriptName: 'Old' }
  t.match(readProject([file('a.lotnb', [cell])]).entities, [
    { kind: 'python', name: 'Old', source: '# Script Name: Old\ndef f(): pass' },
  ])
  t.end()
})

t.test('the manifest', (t) => {
  const files = [file('a.lot', ACTION('A')), file('README.md', 'x')]
  t.match(manifestOf('plant', files, readProject(files)), {
    project: 'plant',
    files: [
      { path: 'a.lot', bytes: files[0]!.bytes.byteLength },
      { path: 'README.md', bytes: 1, sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' },
    ],
    entities: [{ kind: 'action', name: 'A', file: 'a.lot', cell: undefined, line: 1 }],
    counts: { action: 1 },
    errors: [],
  })
  t.end()
})
