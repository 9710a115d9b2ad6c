import { randomBytes } from 'node:crypto'
import t from 'tap'
import { rawZip } from '../projects/zip.fixture.js'
import { type TestWheel, wheelFile, wheelOf } from './wheel.fixture.js'
import { readWheel, WHEEL_BYTES_MAX } from './wheel.js'
import { missingRequirements } from './wheel-metadata.js'
import { isPureTag, parseWanted, parseWheelName, pickWheel } from './wheel-name.js'

t.test('a wheel is read', async (t) => {
  const files = {
    'demo/__init__.py': '\uFEFFfrom .inner import f\n',
    'demo/inner/__init__.py': 'def f(): return "ü"\n',
    'demo/data.json': '{}',
    'demo/no-module.py': 'x',
    'top.py': 'x = 1',
    'Demo_More-1.2.3.data/purelib/other.py': 'y = 2',
    'Demo_More-1.2.3.data/scripts/run.py': 'not for us',
    'Demo_More-1.2.3.dist-info/helper.py': 'not for us',
    'with, comma and quotes.txt': 'text',
  }
  const metadata = [
    'Requires-Python: >=3.8',
    'Requires-Dist: six>=1.5',
    'Requires-Dist: Tz_Data (==2024.1)',
    "Requires-Dist: old ; python_version < '3.9'",
    "Requires-Dist: pytest ; extra == 'test'",
    'Requires-Dist: with-extra[a,b] ~= 2.0',
    `Requires-Dist: without-end (>=1.0${', !=1.1'.repeat(100_000)})`,
    '',
    'Requires-Dist: of-the-description',
  ]
  const record = (text: string): string => text.replace('with, comma and quotes.txt', '"with, comma and quotes.txt"')
  const wheel = await readWheel(
    wheelOf({ name: 'Demo-More', version: '1.2.3', files, metadata, record }),
    wheelFile('Demo-More', '1.2.3', 'py2.py3-none-any'),
  )
  t.match(wheel, { name: 'Demo-More', version: '1.2.3', topLevel: ['demo', 'other', 'top'] })
  t.same(wheel.files, {
    'demo/__init__.py': 'from .inner import f\n',
    'demo/inner/__init__.py': 'def f(): return "ü"\n',
    'top.py': 'x = 1',
    'other.py': 'y = 2',
  })
  t.same(missingRequirements(wheel.requires, new Set(['tz-data'])), [
    'It needs six>=1.5: install it too',
    "It needs old where python_version < '3.9': install it too if that holds",
    'It needs with-extra~= 2.0: install it too',
  ])
})

const INFO = 'demo-1.0.dist-info'
const REFUSED: readonly (readonly [what: string, wheel: TestWheel, reason: RegExp])[] = [
  ['another hash', { record: (text) => text.replace(/sha256=./, 'sha256=_') }, /demo.py" is not what its RECORD says/],
  ['a changed file', { afterwards: { 'demo.py': 'import os' } }, /"demo.py" is not what its RECORD says/],
  ['another size', { record: (text) => text.replace(/,\d+\n/, ',1\n') }, /is not what its RECORD says/],
  ['a weak hash', { record: (text) => text.replace('sha256=', 'md5=') }, /no hash of "demo.py" that can be trusted/],
  ['no hash', { record: (text) => text.replace(/sha256=[^,]*/, '') }, /no hash of "demo.py" that can be trusted/],
  ['a file beside', { afterwards: { 'evil.py': '' } }, /its RECORD does not name "evil.py"/],
  ['a missing file', { afterwards: { 'demo.py': undefined } }, /its RECORD names "demo.py", which is not there/],
  ['a line twice', { record: (text) => text + text }, /its RECORD has "demo.py" twice/],
  ['no RECORD', { afterwards: { [`${INFO}/RECORD`]: undefined } }, /the wheel has no demo-1.0.dist-info\/RECORD/],
  ['no WHEEL', { afterwards: { [`${INFO}/WHEEL`]: undefined } }, /the wheel has no demo-1.0.dist-info\/WHEEL/],
  ['no pure one', { isPure: false }, /made for py3-none-any: only wheels in pure Python/],
  [
    'one for a machine',
    { tags: ['cp312-cp312-manylinux_2_17_x86_64'] },
    /made for cp312-cp312-manylinux_2_17_x86_64: only/,
  ],
  ['for Python 2 alone', { tags: ['py2-none-any'] }, /made for py2-none-any: only/],
  [
    'native code',
    { files: { 'demo.py': '', 'demo/fast.cpython-312.so': '' } },
    /holds native code \(demo\/fast.cpython-312.so\)/,
  ],
  ['no module', { files: { 'data.json': '{}' } }, /holds no module/],
  ['a module in Latin 1', { files: { 'demo.py': Buffer.from([0xe4]) } }, /demo.py of the wheel is not UTF-8/],
  [
    'another Python',
    { metadata: ['Requires-Python: <3.12'] },
    /demo 1.0 is for Python <3.12; this is Python 3.14.0: try/,
  ],
  ['no name', { metadata: [], name: '-' }, /METADATA of the wheel names no package/],
  ['no version', { version: 'latest' }, /has no version of demo/],
  ['two packages', { files: { 'demo.py': '', 'other-1.0.dist-info/METADATA': '' } }, /more than one folder/],
  [
    'much text',
    { files: { 'demo.py': `x = '${randomBytes(6_400_000).toString('base64')}'` } },
    /modules have more than 8388608/,
  ],
  ['too much text', { files: { 'demo.py': '#'.repeat(8_400_000) } }, /more than|compressed to less than/],
]

t.test('what is not as it should be is refused', async (t) => {
  for (const [what, wheel, reason] of REFUSED) {
    await t.rejects(readWheel(wheelOf(wheel)), { code: 'PACKAGE_REFUSED', message: reason }, what)
  }
  await t.rejects(readWheel(Buffer.from('no zip')), { code: 'PACKAGE_REFUSED', message: /it is no zip file/ })
  await t.rejects(readWheel(Buffer.from('no zip'), wheelFile('demo')), {
    code: 'PACKAGE_REFUSED',
    message: /^demo-1.0-py3-none-any.whl: the wheel is refused: .* it is no zip file$/,
  })
  await t.rejects(readWheel(Buffer.alloc(WHEEL_BYTES_MAX + 1)), { message: /more than 8388608 bytes/ })
})

t.test('archives that lead out, or are more than they seem, are refused', async (t) => {
  const info = { name: `${INFO}/METADATA`, text: '' }
  const cases: readonly (readonly [Parameters<typeof rawZip>[0], RegExp])[] = [
    [[{ name: '../evil.py', text: '' }, info], /must not lead out/],
    [[{ name: '/evil.py', text: '' }, info], /must not be absolute/],
    [[{ name: 'a\\..\\evil.py', text: '' }, info], /forward slashes/],
    [[{ name: 'link.py', text: '/etc/passwd', mode: 0o120_777 }, info], /symbolic links/],
    [[{ name: 'bomb.py', text: Buffer.alloc(9_000_000) }, info], /compressed to less than/],
    [[{ name: 'bomb.py', text: 'x', claimedBytes: 100_000_000 }, info], /has more than/],
    [[{ name: 'a.py', text: '' }, { name: 'A.py', text: '' }, info], /twice/],
    [Array.from({ length: 4_001 }, (_, index) => ({ name: `f${index}.py`, text: '' })), /more than 4000 entries/],
  ]
  for (const [entries, reason] of cases) {
    await t.rejects(readWheel(rawZip(entries)), { code: 'PACKAGE_REFUSED', message: reason }, reason.source)
  }
})

t.test('the name of the file must be that of the wheel', async (t) => {
  await t.resolves(readWheel(wheelOf(), 'Demo-1.0-1build-py3-none-any.whl'))
  const cases: readonly (readonly [string, RegExp])[] = [
    ['demo.whl', /"demo.whl" is no name of a wheel/],
    ['demo-1.0.tar.gz', /is no name of a wheel/],
    ['../demo-1.0-py3-none-any.whl', /is no name of a wheel/],
    ['demo-1.0-cp314-cp314-win_amd64.whl', /made for cp314-cp314-win_amd64: only wheels in pure Python/],
    ['other-1.0-py3-none-any.whl', /is called other-1.0, and says in METADATA that it is demo 1.0/],
    ['demo-2.0-py3-none-any.whl', /is called demo-2.0/],
  ]
  for (const [file, reason] of cases) await t.rejects(readWheel(wheelOf(), file), { message: reason }, file)
})

t.test('names of wheels and packages', async (t) => {
  t.same(parseWheelName('Python_DateUtil-2.9.0.post0-py2.py3-none-any.whl'), {
    name: 'python-dateutil',
    version: '2.9.0.post0',
    tag: 'py2.py3-none-any',
  })
  t.equal(parseWheelName('a-1.0-x-py3-none-any.whl'), undefined, 'a build begins with a digit')
  for (const tag of ['py3-none-any', 'py2.py3-none-any', 'py310-none-any']) t.ok(isPureTag(tag), tag)
  for (const tag of ['cp3-none-any', 'py3-abi3-any', 'py3-none-win32', 'py2-none-any', 'py3'])
    t.notOk(isPureTag(tag), tag)
  t.same(parseWanted('six'), { name: 'six', version: undefined })
  t.same(parseWanted('six==1.17.0'), { name: 'six', version: '1.17.0' })
  for (const text of ['six>=1', 'six==', '==1', 'a b', '../six', 'six==1==2', ''])
    t.equal(parseWanted(text), undefined, text)
  const files = [
    'six-1.9.0-py3-none-any.whl',
    'six-1.17.0-py2.py3-none-any.whl',
    'six-2.0a1-py3-none-any.whl',
    'six-3.0-cp314-cp314-win32.whl',
    'sixteen-9.0-py3-none-any.whl',
    'pre_only-1.0rc1-py3-none-any.whl',
    'README.md',
  ]
  const picked = (text: string): string | undefined => pickWheel(files, parseWanted(text)!)
  t.equal(picked('Six'), 'six-1.17.0-py2.py3-none-any.whl')
  t.equal(picked('six==1.9'), 'six-1.9.0-py3-none-any.whl')
  t.equal(picked('six==2.0a1'), 'six-2.0a1-py3-none-any.whl')
  t.equal(picked('six==3.0'), undefined)
  t.equal(picked('pre-only'), 'pre_only-1.0rc1-py3-none-any.whl')
  t.equal(picked('none'), undefined)
})
