import t from 'tap'
import { addressGroup, canonicalAddress, isLocalAddress, isWithin, parseAddressRange, rangeText } from './address.js'

t.test('one text for each address', async (t) => {
  for (const [given, wanted] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['2001:DB8:0:0::7', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['/run/merlot.sock', '/run/merlot.sock'],
    ['C:\\pipe', 'C:\\pipe'],
    ['', ''],
  ]) {
    t.equal(canonicalAddress(given), wanted, given)
  }
})

t.test('what counts as one', async (t) => {
  for (const [given, wanted] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b::/64'],
    ['::1', '::1'],
    ['/run/merlot.sock', '/run/merlot.sock'],
  ]) {
    t.equal(addressGroup(given), wanted, given)
  }
})

t.test('on this machine', async (t) => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', '/run/merlot.sock', 'run/m.sock']) {
    t.ok(isLocalAddress(address), address)
  }
  for (const address of ['192.0.2.7', '128.0.0.1', '2001:db8::1', '::ffff:10.0.0.1', '::2']) {
    t.notOk(isLocalAddress(address), address)
  }
})

t.test('networks', async (t) => {
  for (const [given, wanted] of [
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::ffff:192.0.2.7/120', '192.0.2.0/24'],
    ['2001:DB8:ffff::7/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
    ['2001:db8::7', '2001:db8::7'],
  ]) {
    const range = parseAddressRange(given)
    t.equal(range && rangeText(range), wanted, given)
  }
  for (const text of [
    '192.0.2',
    '192.0.2.7/33',
    '192.0.2.256',
    '::/129',
    '::ffff:1.2.3.4/90',
    'a/8',
    '',
    '1.2.3.4/',
    '::1%lo',
  ]) {
    t.equal(parseAddressRange(text), undefined, text)
  }
})

t.test('what is within a network', async (t) => {
  for (const [inner, outer, wanted] of [
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.0.0.0/7', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['2001:db8::7', '2001:db8::/32', true],
    ['::7', '0.0.0.0/0', false],
    ['0.0.0.7', '::/0', false],
  ] as const) {
    const [one, other] = [parseAddressRange(inner), parseAddressRange(outer)]
    t.equal(one && other && isWithin(one, other), wanted, `${inner} in ${outer}`)
  }
})
