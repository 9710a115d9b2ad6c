import t from 'tap'
import { equals } from '../values/operators.js'
import { Json, MISSING_KEY, NO_PREVIOUS, OuterText, textOf, type Value } from '../values/value.js'
import { constant, dynamic } from './compiled.js'
import { compileEquals } from './operator-expressions.js'
import { LIMITS, NO_OCCASION, TestWorld } from './program.fixture.js'
import { Run } from './run.js'

const TEXTS = ['', 'a', 'A', 'ä', 'true', 'True', 'FALSE', '1', '1.0', ' 1', '0', 'null', '[1]', ' true\n', '\ufeffa']
const VALUES: readonly Value[] = [
  ...TEXTS,
  ...TEXTS.map((text) => OuterText.of(text)),
  new OuterText(new Uint8Array([0xff])),
  0,
  1,
  2.5,
  true,
  false,
  undefined,
  MISSING_KEY,
  NO_PREVIOUS,
  Json.ofText('[1]'),
  Json.ofData({ a: 1 }),
  new Uint8Array([0x61]),
]

t.test('equality with a constant is the same as without', (t) => {
  const run = new Run(new TestWorld(), NO_OCCASION, [], [], LIMITS, [], 0, 0, undefined)
  for (const left of VALUES) {
    for (const right of VALUES) {
      const expected = equals(left, right)
      const name = `${typeof left} "${textOf(left)}" == ${typeof right} "${textOf(right)}"`
      const value = dynamic(() => left)
      const same = [compileEquals(value, constant(right)), compileEquals(constant(right), value)].map((test) =>
        test(run),
      )
      t.strictSame(same, [expected, expected], name)
    }
  }
  t.end()
})
