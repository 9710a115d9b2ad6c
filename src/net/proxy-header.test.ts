import t from 'tap'
import { binaryHeader, field, tlsField } from './proxy-header.fixture.js'
import { readProxyHeader } from './proxy-header.js'

function text(line: string) {
  return readProxyHeader(Buffer.from(line, 'latin1'))
}

function complete(source: object | undefined, bytes: number, more: object = {}) {
  return { kind: 'complete', header: { source, tls: undefined, authority: undefined, ...more }, bytes }
}

t.test('a line of version 1', async (t) => {
  const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 50000 8883\r\n'
  t.same(text(`${line}\x10\x0c`), complete({ address: '192.0.2.7', port: 50_000 }, line.length))
  const six = 'PROXY TCP6 2001:DB8::0007 ::1 0 65535\r\n'
  t.same(text(six), complete({ address: '2001:db8::7', port: 0 }, six.length))
  t.match(text('PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n'), { header: { source: { address: '192.0.2.7' } } })
  t.same(text('PROXY UNKNOWN\r\n'), complete(undefined, 15))
  t.same(text('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nGET'), complete(undefined, 35))
})

t.test('lines of version 1 that are refused', async (t) => {
  for (const line of [
    'PROXY TCP4 192.0.2.7 198.51.100.1 50000 65536\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 050 8883\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 -1 8883\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 50000\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 50000 8883 \r\n',
    'PROXY TCP4  192.0.2.7 198.51.100.1 50000 8883\r\n',
    'PROXY TCP4 192.0.2.07 198.51.100.1 50000 8883\r\n',
    'PROXY TCP4 ::1 ::1 50000 8883\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 50000 8883\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 50000 8883\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 50000 8883\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY \r\n',
    'PROXY TCP4 192.0.2.7\n',
    'proxy TCP4 192.0.2.7 198.51.100.1 50000 8883\r\n',
    'PROXX',
    '\x10\x0c\0\x04MQTT',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
  ]) {
    const found = text(line.endsWith('.7\n') ? line.padEnd(107) : line)
    t.equal(found.kind, 'refused', JSON.stringify(line))
  }
})

t.test('version 2', async (t) => {
  const four = binaryHeader(0x21, 0x11, [192, 0, 2, 7, 198, 51, 100, 1, 0xc3, 0x50, 0x22, 0xb3])
  t.same(readProxyHeader(Buffer.concat([four, four])), complete({ address: '192.0.2.7', port: 50_000 }, 28))
  const address = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]
  const six = binaryHeader(0x21, 0x21, [...address, ...address, 0, 1, 0, 2])
  t.same(readProxyHeader(six), complete({ address: '2001:db8::7', port: 1 }, 52))
  t.same(readProxyHeader(binaryHeader(0x20, 0, [])), complete(undefined, 16), 'LOCAL')
  t.same(readProxyHeader(binaryHeader(0x20, 0x11, [1, 2, 3])), complete(undefined, 19), 'LOCAL with what means nothing')
  t.same(readProxyHeader(binaryHeader(0x21, 0, [1, 2, 3])), complete(undefined, 19), 'of a family it does not tell')
  t.same(readProxyHeader(binaryHeader(0x21, 0x31, new Array(216).fill(65))), complete(undefined, 232), 'Unix socket')
})

t.test('fields of version 2', async (t) => {
  const header = binaryHeader(
    0x21,
    0x11,
    [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 2],
    field(0x05, 'unique'),
    field(0x02, 'broker.example.org'),
    tlsField(7, 0, field(0x21, 'TLSv1.3'), field(0x22, 'böiler-7'), field(0x23, 'TLS_AES_128_GCM_SHA256'), field(0x77)),
  )
  t.match(readProxyHeader(header), {
    header: {
      authority: 'broker.example.org',
      tls: {
        version: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        hasCertificate: true,
        isVerified: true,
        commonName: 'böiler-7',
      },
    },
  })
  const tlsWith = (bits: number, verified: number) => {
    const found = readProxyHeader(binaryHeader(0x21, 0x11, new Array(12).fill(1), tlsField(bits, verified)))
    return found.kind === 'complete' && found.header.tls
  }
  t.match(tlsWith(3, 1), { hasCertificate: true, isVerified: false })
  t.match(tlsWith(5, 0), { hasCertificate: true, isVerified: true })
  t.match(tlsWith(1, 0), { hasCertificate: false, isVerified: false })
  t.equal(tlsWith(6, 0), undefined, 'did not come by TLS')
})

t.test('the checksum of version 2', async (t) => {
  const addresses = [192, 0, 2, 7, 198, 51, 100, 1, 0xc3, 0x50, 0x22, 0xb3]
  // computed by another implementation of CRC-32C
  const right = binaryHeader(0x21, 0x11, addresses, field(0x03, Buffer.from('6d15954a', 'hex')))
  t.equal(readProxyHeader(right).kind, 'complete')
  const wrong = Buffer.from(right)
  wrong[16] = 193
  t.match(readProxyHeader(wrong), { kind: 'refused', reason: 'its checksum is wrong' })
})

t.test('headers of version 2 that are refused', async (t) => {
  const addresses = new Array(12).fill(1)
  for (const [header, reason] of [
    [binaryHeader(0x11, 0x11, addresses), /version is 1/],
    [binaryHeader(0x22, 0x11, addresses), /command is 2/],
    [binaryHeader(0x21, 0x12, addresses), /address family is 0x12/],
    [binaryHeader(0x21, 0x11, [1, 2, 3]), /addresses do not fit/],
    [binaryHeader(0x21, 0x11, new Array(5_000).fill(0)), /5016 bytes, more than 4096/],
    [binaryHeader(0x21, 0x11, addresses, [0x02, 0]), /last field does not fit/],
    [binaryHeader(0x21, 0x11, addresses, [0x02, 0, 9, 65]), /last field does not fit/],
    [binaryHeader(0x21, 0x11, addresses, field(0x02, 'a\nb')), /name of the server is not text/],
    [binaryHeader(0x21, 0x11, addresses, field(0x02, 'a'), field(0x02, 'b')), /field 0x02 twice/],
    [binaryHeader(0x21, 0x11, addresses, field(0x20, 'abc')), /field of TLS does not fit/],
    [binaryHeader(0x21, 0x11, addresses, tlsField(1, 0, [0x22])), /last field does not fit/],
    [binaryHeader(0x21, 0x11, addresses, tlsField(7, 0, field(0x22, Buffer.of(0xff)))), /field 0x22 of TLS/],
    [binaryHeader(0x21, 0x11, addresses, tlsField(7, 0, field(0x22, 'a\0b'))), /field 0x22 of TLS/],
    [binaryHeader(0x21, 0x11, addresses, tlsField(7, 0, field(0x22, 'a'), field(0x22, 'b'))), /field 0x22 of TLS/],
  ] as const) {
    t.match(readProxyHeader(header), { kind: 'refused', reason })
  }
})
