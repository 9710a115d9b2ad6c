import t from 'tap'
import { compareVersions, fitsPython, isFinalVersion, isVersion } from './package-version.js'

t.test('versions are in the order of PEP 440', async (t) => {
  const ordered = [
    'nonsense',
    '1.0.dev1',
    '1.0a1.dev1',
    '1.0a1',
    '1.0b2',
    '1.0rc1',
    '1.0',
    '1.0.post1.dev2',
    '1.0.post1',
    '1.0.1',
    '1.2',
    '1.10',
    '2024.1',
    '1!0.1',
  ]
  for (const [index, version] of ordered.entries()) {
    for (const [other, another] of ordered.entries()) {
      t.equal(Math.sign(compareVersions(version, another)), Math.sign(index - other), `${version} and ${another}`)
    }
  }
  for (const same of ['1', '1.0.0', 'v1.0', '1.0+local.1']) t.equal(compareVersions('1.0', same), 0, same)
  for (const [one, other] of [
    ['1.0-1', '1.0.post1'],
    ['1.0alpha', '1.0a0'],
    ['1.0_rc_2', '1.0rc2'],
  ]) {
    t.equal(compareVersions(one!, other!), 0, one)
  }
  for (const text of ['', '1.', 'a1', '1.0-', '1 0', '1'.repeat(200)]) t.notOk(isVersion(text), text)
  t.same(['1.0', '1.0.post1', '1.0a1', '1.0.dev1', 'x'].map(isFinalVersion), [true, true, false, false, false])
})

t.test('what a package says of the version of Python', async (t) => {
  const fitting = ['>=3.8', '>=2.7, !=3.0.*, !=3.1.*', '~=3.10', '==3.*', '>3.13', '<4', '<=3.14', 'whatever', '']
  for (const specifier of fitting) t.ok(fitsPython(specifier, '3.14.0'), specifier)
  const others = ['<3', '>=3.15', '==3.13.*', '!=3.14.*', '~=3.14.1', '>=3.8,<3.12', '>3.14', '===3.13']
  for (const specifier of others) t.notOk(fitsPython(specifier, '3.14.0'), specifier)
})
