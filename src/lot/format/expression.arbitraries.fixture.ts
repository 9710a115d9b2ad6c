/** Random expressions, of shapes that the parser can make: operands that bind looser than their operator are in groups. */
import fc from 'fast-check'
import { writeString } from '../syntax/string-literal.js'
import type { Expression, Name, TextNode } from '../tree.js'

export const NO_SPAN = { start: 0, end: 0 } as const

export const word = fc.constantFrom('alpha', 'beta2', 'Gamma_ray', 'd', '_e')
export const bareName: fc.Arbitrary<Name> = word.map((text) => ({ text, quoted: false, span: NO_SPAN }))
export const quotedName: fc.Arbitrary<Name> = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .map((text) => ({ text, quoted: true, span: NO_SPAN }))
export const anyName: fc.Arbitrary<Name> = fc.oneof(bareName, quotedName)

export function textNode(value: string): TextNode {
  return { kind: 'text', value, written: writeString(value), span: NO_SPAN }
}

/** A slash at an end of a text would be the seam of a topic. */
export const text: fc.Arbitrary<TextNode> = fc
  .oneof(
    fc.string({ maxLength: 16, unit: 'grapheme' }),
    fc.constantFrom('', '\\d+', 'a"b', "it's", 'tab\t', 'C:\\new', 'é°'),
  )
  .map((value) => textNode(value.replace(/^\/+|\/+$/g, '')))

const number: fc.Arbitrary<Expression> = fc
  .constantFrom('0', '5', '42', '3.14', '1e3', '2.5e-7', '007')
  .map((written) => ({ kind: 'number', value: Number(written), written, span: NO_SPAN }))
const boolean: fc.Arbitrary<Expression> = fc
  .constantFrom('true', 'false', 'TRUE', 'False')
  .map((written) => ({ kind: 'boolean', value: written.toLowerCase() === 'true', written, span: NO_SPAN }))
const path = fc.array(word, { minLength: 1, maxLength: 3 })
const variable: fc.Arbitrary<Expression> = path.map((path) => ({ kind: 'variable', path, span: NO_SPAN }))
const field: fc.Arbitrary<Expression> = path.map((path) => ({ kind: 'field', path, span: NO_SPAN }))

const COMPARISONS = [
  ['==', '=='],
  ['==', '='],
  ['==', 'EQUALS'],
  ['==', 'IS'],
  ['!=', '<>'],
  ['!=', 'NOT EQUALS'],
  ['!=', 'IS NOT'],
  ['<=', '<='],
  ['>', '>'],
  ['CONTAINS', 'CONTAINS'],
  ['STARTS_WITH', 'STARTS_WITH'],
] as const

export interface Expressions {
  /** Anything. */
  readonly value: fc.Arbitrary<Expression>
  readonly condition: fc.Arbitrary<Expression>
  readonly sum: fc.Arbitrary<Expression>
  readonly unary: fc.Arbitrary<Expression>
}

const span = fc.constant(NO_SPAN)
const kind = <Kind extends string>(name: Kind): fc.Arbitrary<Kind> => fc.constant(name)

/** @param inModel with bare names for fields, rather than variables and payloads */
export function expressionsOf(inModel: boolean): Expressions {
  const { value, or, sum, unary } = fc.letrec<Record<string, Expression>>((tie) => {
    const some = { depthSize: 'small', withCrossShrink: true } as const
    const leaf = fc.oneof(
      text,
      number,
      boolean,
      variable,
      inModel ? field : fc.constant<Expression>({ kind: 'payload', span: NO_SPAN }),
    )
    const topic = fc.oneof(
      text,
      variable,
      fc.tuple(text, variable, text).map(([begin, name, end]): Expression => {
        const left = plus(textNode(`${begin.value}/`), name)
        return plus(left, textNode(`/${end.value}end`))
      }),
    )
    const group = (inner: fc.Arbitrary<Expression>) => fc.record({ kind: kind('group'), inner, span })
    const random = fc.record({
      kind: kind('random'),
      type: fc.constantFrom('INT' as const, 'DOUBLE' as const, undefined),
      from: tie('sum'),
      to: tie('sum'),
      span,
    })
    const getModel = fc.record({
      kind: kind('getModel'),
      model: text,
      route: text,
      field: bareName,
      operator: fc.constantFrom('==' as const, '!=' as const, '<' as const),
      value: tie('sum'),
      span,
    })
    const stage = fc.oneof(
      fc.record({ kind: kind('trim'), span }),
      fc.record({ kind: kind('filter'), pattern: text, span }),
      fc.record({ kind: kind('replace'), find: text, replacement: tie('choice'), span }),
      fc.record({ kind: kind('split'), separator: fc.option(text, { nil: undefined }), span }),
    )
    return {
      primary: fc.oneof(
        some,
        { arbitrary: leaf, weight: 6 },
        fc.record({ kind: kind('empty'), word: fc.constantFrom('EMPTY' as const, 'NULL' as const), span }),
        fc.record({ kind: kind('topicPosition'), position: fc.integer({ min: 1, max: 9 }), span }),
        fc.record({ kind: kind('session'), word: fc.constantFrom('CLIENTID' as const, 'SUBSCRIBEQOS' as const), span }),
        fc.record({ kind: kind('getTopic'), topic, span }),
        fc.record({ kind: kind('getJson'), path: text, source: tie('primary'), span }),
        fc.record({ kind: kind('getEnvironment'), secret: fc.boolean(), name: text, span }),
        fc.record({ kind: kind('timestamp'), format: text, span }),
        fc.record({ kind: kind('filter'), source: tie('cast'), pattern: text, span }),
        fc.record({
          kind: kind('split'),
          source: tie('cast'),
          separator: fc.option(text, { nil: undefined }),
          span,
        }),
        fc.record({ kind: kind('trim'), source: tie('primary'), span }),
        fc.record({ kind: kind('replace'), find: text, replacement: tie('or'), source: tie('primary'), span }),
        fc.record({ kind: fc.constantFrom('uuid' as const, 'result' as const), span }),
        group(fc.oneof(tie('value'), random, getModel)),
        fc.record({ kind: kind('array'), items: fc.array(tie('value'), { maxLength: 4 }), span }),
        fc.record({
          kind: kind('object'),
          members: fc.array(fc.record({ key: quotedName, value: tie('value') }), { maxLength: 4 }),
          span,
        }),
      ),
      cast: fc.oneof(
        some,
        { arbitrary: tie('primary'), weight: 4 },
        fc.record({
          kind: kind('cast'),
          operand: tie('cast'),
          type: fc.constantFrom('INT' as const, 'DOUBLE' as const, 'STRING' as const),
          span,
        }),
      ),
      unary: fc.oneof(
        some,
        { arbitrary: tie('cast'), weight: 5 },
        fc.record({ kind: kind('negate'), operand: tie('unary'), span }),
      ),
      product: fc.oneof(
        some,
        { arbitrary: tie('unary'), weight: 4 },
        fc.record({
          kind: kind('arithmetic'),
          operator: fc.constantFrom('*' as const, '/' as const, '%' as const),
          left: tie('product'),
          right: tie('unary'),
          span,
        }),
      ),
      sum: fc.oneof(
        some,
        { arbitrary: tie('product'), weight: 4 },
        fc.record({
          kind: kind('arithmetic'),
          operator: fc.constantFrom('+' as const, '-' as const),
          left: tie('sum'),
          right: tie('product'),
          span,
        }),
      ),
      comparison: fc.oneof(
        some,
        { arbitrary: tie('sum'), weight: 3 },
        fc.tuple(fc.constantFrom(...COMPARISONS), tie('sum'), tie('sum')).map(
          ([[operator, written], left, right]): Expression => ({
            kind: 'comparison',
            operator,
            written,
            left,
            right,
            span: NO_SPAN,
          }),
        ),
      ),
      not: fc.oneof(
        some,
        { arbitrary: tie('comparison'), weight: 4 },
        fc.record({ kind: kind('not'), operand: tie('not'), span }),
      ),
      and: fc.oneof(
        some,
        { arbitrary: tie('not'), weight: 4 },
        fc.record({
          kind: kind('logic'),
          operator: fc.constant('AND' as const),
          left: tie('and'),
          right: tie('not'),
          span,
        }),
      ),
      or: fc.oneof(
        some,
        { arbitrary: tie('and'), weight: 4 },
        fc.record({
          kind: kind('logic'),
          operator: fc.constant('OR' as const),
          left: tie('or'),
          right: tie('and'),
          span,
        }),
      ),
      choice: fc.oneof(
        some,
        { arbitrary: tie('or'), weight: 4 },
        fc.record({
          kind: kind('choice'),
          branches: fc.array(fc.record({ condition: tie('or'), value: tie('or') }), { minLength: 1, maxLength: 3 }),
          otherwise: fc.option(tie('or'), { nil: undefined }),
          span,
        }),
      ),
      value: fc.oneof(
        some,
        { arbitrary: tie('choice'), weight: 4 },
        fc.record({
          kind: kind('pipeline'),
          source: tie('choice'),
          stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
          span,
        }),
      ),
    }
  })
  return { value, condition: or, sum, unary }
}

function plus(left: Expression, right: Expression): Expression {
  return { kind: 'arithmetic', operator: '+', left, right, span: NO_SPAN }
}
