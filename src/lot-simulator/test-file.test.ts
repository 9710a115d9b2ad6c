import t from 'tap'
import { compareMessages, type PublishedEffect } from './compare.js'
import { parseDuration } from './duration.js'
import { type Expected, readTestFile } from './test-file.js'

t.test('spans of time', async (t) => {
  for (const [text, ms] of [
    ['90 seconds', 90_000],
    ['1 hour 30 minutes', 5_400_000],
    ['1.5s', 1_500],
    ['250 ms', 250],
    ['2 days, 1 h', 176_400_000],
    ['soon', undefined],
    ['5', undefined],
    ['-5 s', undefined],
    ['', undefined],
  ] as const) {
    t.equal(parseDuration(text), ms, text)
  }
})

t.test('what is wrong with a test file is told with its line', async (t) => {
  for (const [text, expected] of [
    ['cases: [\n', [{ line: 2 }]],
    [
      '- name: a\n  given:\n    - publish: { topic: a, payload: 1 }\n      start: true\n',
      [{ line: 3, message: /a step is one thing/ }],
    ],
    [
      'cases:\n  - name: a\n    expect:\n      - topic: a\n        payload: 1\n        json: 2\n',
      [{ line: 4, message: /give one of/ }],
    ],
    ['cases:\n  - name: a\n    given:\n      - advance: soon\n', [{ line: 4, message: /span of time/ }]],
    [
      'cases:\n  - name: a\n    expcet:\n      - topic: a\n',
      [{ line: 3, message: 'cases.0: there is no key "expcet": did you mean "expect"?' }],
    ],
    [
      '- name: a\n- name: b\n  given:\n    - publish:\n        topic: a\n        payload: 1\n        paylod: 1\n    - xyzzy: 1\n',
      [
        { line: 7, message: 'given.0.publish: there is no key "paylod": did you mean "payload"?' },
        { line: 8, message: /^given\.1: .*no key "xyzzy"$/ },
      ],
    ],
    ['caases: []\n', [{ line: 1 }, { line: 1, message: 'there is no key "caases": did you mean "cases"?' }]],
    ['5', [{ line: 1 }]],
    ['', [{ line: 1 }]],
  ] as const) {
    t.match(readTestFile(text), expected, text)
  }
})

function message(topic: string, payload: string, retain = false): PublishedEffect {
  return { kind: 'publish', topic, payload: new TextEncoder().encode(payload), qos: 0, retain }
}

function compare(
  expected: Expected[],
  actual: PublishedEffect[],
  order: 'exact' | 'any' = 'exact',
  others: 'forbidden' | 'allowed' = 'forbidden',
) {
  return compareMessages(expected, actual, { order, others })
}

t.test('messages in order', async (t) => {
  const actual = [message('a', '1'), message('b', '{"x":1,"y":2}'), message('c', '3', true)]
  const met: Expected[] = [
    { topic: 'a', payload: 1 },
    { topic: 'b', includes: { x: 1 } },
    { topic: 'c', matches: '^\\d$', retain: true },
  ]
  t.same(compare(met, actual), [])
  t.same(compare(met.toReversed(), actual, 'any'), [])
  t.not(compare(met.toReversed(), actual).length, 0)
  t.not(compare([met[0], met[0]], actual.slice(0, 1), 'any').length, 0, 'a message meets one expectation')
  t.same(compare(met.slice(1), actual), ['+ a "1"', '  b {"x":1,"y":2}', '  c "3" (retained)'])
  t.same(compare(met.slice(1), actual, 'exact', 'allowed'), [])
  t.same(compare([met[0], { topic: 'b', json: { y: 2, x: 1 } }, { topic: 'd', payload: 'x', qos: 1 }], actual), [
    '  a "1"',
    '  b {"x":1,"y":2}',
    '- d "x" (QoS 1)',
    '+ c "3" (retained)',
  ])
})

t.test('payloads are text, numbers or JSON', async (t) => {
  for (const [payload, expected, isMet] of [
    ['80', 80, true],
    ['80.0', 80, true],
    ['80.0', '80', false],
    ['', 0, false],
    ['true', true, true],
    ['[1,2]', [1, 2], true],
    ['{"a":{"b":1}}', { a: { b: 1 } }, true],
    ['nothing', { a: 1 }, false],
  ] as const) {
    t.equal(compare([{ topic: 't', payload: expected }], [message('t', payload)]).length === 0, isMet, payload)
  }
})
