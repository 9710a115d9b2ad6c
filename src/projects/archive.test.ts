import fc from 'fast-check'
import t from 'tap'
import { packArchive, unpackArchive, zipOfText } from './archive.js'
import { type RawEntry, rawZip } from './zip.fixture.js'

const SMALL = { files: 10, fileBytes: 2_000_000, totalBytes: 3_000_000 }

t.test('what is packed comes out again', async (t) => {
  const files = [
    { path: 'a.lot', bytes: Buffer.from('DEFINE ACTION A') },
    { path: 'sub/ü.lotnb', bytes: Buffer.alloc(0) },
  ]
  const zip = packArchive(files)
  t.same(zip, packArchive(files), 'the same bytes each time')
  const unpacked = await unpackArchive(zip)
  t.same(
    unpacked.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]),
    [
      ['a.lot', 'DEFINE ACTION A'],
      ['sub/ü.lotnb', ''],
    ],
  )
  t.same(await unpackArchive(zipOfText(`zip64:${zip.toString('base64')}`)), unpacked)
})

t.test('nothing is packed that would not be unpacked', (t) => {
  for (const path of ['__proto__', 'a:b']) {
    t.throws(() => packArchive([{ path, bytes: Buffer.from('x') }]), { code: 'PROJECT_REFUSED' })
  }
  t.end()
})

t.test('stored files, folders and an empty archive', async (t) => {
  const zip = rawZip([
    { name: 'sub/', method: 0, mode: 0o40755 },
    { name: 'sub/a', method: 0, text: 'stored' },
  ])
  t.match(await unpackArchive(zip), [{ path: 'sub/a', bytes: Buffer.from('stored') }])
  t.same(await unpackArchive(rawZip([])), [])
})

const NAMES: readonly (readonly [string, RegExp])[] = [
  ['/etc/passwd', /absolute/],
  ['../outside', /lead out/],
  ['a/../../outside', /lead out/],
  ['a/..', /lead out/],
  ['./a', /lead out/],
  ['..\\outside', /forward slashes/],
  ['C:/windows', /forward slashes/],
  ['a//b', /empty parts/],
  ['//a', /absolute/],
  ['', /empty parts/],
  ['a\u0000.lot', /forward slashes/],
  ['a\n', /forward slashes/],
  ['.git/config', /folder of Git/],
  ['sub/.GIT/hooks/post-checkout', /folder of Git/],
  ['git~1/config', /folder of Git/],
  ['.git./config', /dot or a blank/],
  ['nul.lot', /reserved/],
  ['__proto__', /reserved/],
  [`${'a'.repeat(256)}`, /at most 255/],
  ['a/'.repeat(17), /levels deep/],
]
for (const [name, reason] of NAMES) {
  t.test(`the name ${JSON.stringify(name.slice(0, 40))} is refused`, async (t) => {
    await t.rejects(unpackArchive(rawZip([{ name, text: 'x' }])), { code: 'PROJECT_REFUSED', message: reason })
  })
}

const ARCHIVES: readonly (readonly [string, readonly RawEntry[], RegExp])[] = [
  ['a symbolic link', [{ name: 'link', mode: 0o120777, text: '/etc/passwd' }], /symbolic links/],
  ['a device', [{ name: 'tty', mode: 0o020666 }], /devices/],
  ['an encrypted file', [{ name: 'a', flags: 1 }], /encrypted/],
  ['another compression', [{ name: 'a', method: 12 }], /method 12/],
  ['a name that differs in its local header', [{ name: 'good', localName: '../x' }], /two ways/],
  ['the same name twice', [{ name: 'a' }, { name: 'A' }], /twice/],
  ['a file that is also a folder', [{ name: 'a/b' }, { name: 'a' }], /twice/],
  [
    'entries over the same bytes',
    [
      { name: 'a', text: 'x' },
      { name: 'b', localName: 'a', sharesWith: 0 },
    ],
    /two ways/,
  ],
  ['a wrong checksum', [{ name: 'a', text: 'x', crc: 1 }], /damaged/],
  ['more bytes than promised', [{ name: 'a', text: 'x'.repeat(100_000), claimedBytes: 10 }], /damaged/],
  ['fewer bytes than promised', [{ name: 'a', text: 'x', claimedBytes: 10 }], /damaged/],
  ['two sizes of a stored file', [{ name: 'a', method: 0, text: 'x', claimedBytes: 10 }], /two sizes/],
  ['a bomb', [{ name: 'a', text: Buffer.alloc(1_900_000) }], /less than 1\/200/],
  ['a file that is too big', [{ name: 'a', claimedBytes: 2_000_001 }], /more than 2000000/],
  ['too much together', [1, 2, 3, 4].map((n) => ({ name: `${n}`, claimedBytes: 1_000_000 })), /more than 3000000/],
  ['too many', Array.from({ length: 11 }, (_, n) => ({ name: `${n}` })), /more than 10 entries/],
]
for (const [what, entries, reason] of ARCHIVES) {
  t.test(`${what} is refused`, async (t) => {
    await t.rejects(unpackArchive(rawZip(entries), SMALL), { code: 'PROJECT_REFUSED', message: reason })
  })
}

t.test('overlapping entries are refused where both headers agree', async (t) => {
  const inner = rawZip([{ name: 'b', method: 0, text: 'inside' }])
  const zip = rawZip([
    { name: 'a', method: 0, text: inner },
    { name: 'b', method: 0, text: 'inside' },
  ])
  const second = zip.lastIndexOf('PK\u0001\u0002')
  zip.writeUInt32LE(31, second + 42) // the header within the first file
  await t.rejects(unpackArchive(zip), { message: /overlaps/ })
})

t.test('texts that are no archive', async (t) => {
  t.throws(() => zipOfText('zip64:***'), { message: /not base64/ })
  t.throws(() => zipOfText('zip64:'), { message: /not base64/ })
  t.throws(() => zipOfText(`zip64:${'A'.repeat(50_000_000)}`), { message: /more than/ })
  await t.rejects(unpackArchive(Buffer.from('PK')), { message: /no zip file/ })
  await t.rejects(unpackArchive(Buffer.alloc(0)), { message: /no zip file/ })
})

t.test('no bytes make it fail in another way', async () => {
  const good = rawZip([
    { name: 'a/b.lot', text: 'DEFINE ACTION A' },
    { name: 'c', method: 0, text: 'stored' },
  ])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), async (changes) => {
      const zip = Buffer.from(good)
      for (const [at, value] of changes) zip[at] = value
      await unpackArchive(zip, SMALL).catch((error: { code?: string }) => {
        if (error.code !== 'PROJECT_REFUSED') throw error
      })
    }),
    { numRuns: 500 },
  )
})
