import t from 'tap'
import { parseAltNames } from './peer-certificate.js'

t.test('alternative names as Node.js writes them', async (t) => {
  for (const [text, names] of [
    ['', []],
    ['DNS:a.example', ['a.example']],
    ['DNS:a, IP Address:192.0.2.7, email:b@example.org, URI:urn:c:7', ['a', 'b@example.org', 'urn:c:7']],
    ['URI:"http://a/, DNS:root", DNS:b', ['http://a/, DNS:root', 'b']],
    ['DNS:"a\\"\\u0000, DNS:root"', ['a"\0, DNS:root']],
    ['othername:<unsupported>, DNS:a', ['a']],
    ['DirName:"CN = a, O = b", DNS:a', ['a']],
    ['Registered ID:1.2.3.4, DNS:a', ['a']],
  ] as const) {
    t.same(parseAltNames(text), names, text)
  }
  for (const text of ['DNS:', 'DNS:a,DNS:b', 'DNS:"a', 'DNS:a"b', 'DNS:"\\x"', 'a', ', DNS:a', 'DNS:a, , DNS:b']) {
    t.equal(parseAltNames(text), undefined, text)
  }
})
