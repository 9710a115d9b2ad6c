import t from 'tap'
import { Source } from '../source.js'
import type { ActionNode, Expression, Statement } from '../tree.js'
import { type ParseOptions, parseProgram } from './parse.js'

/** The tree without places, and with expressions as text in which every operation has its parentheses. */
function shape(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(shape)
  if (typeof node !== 'object' || node === null) return node
  if ('kind' in node && isExpression(node)) return written(node)
  if ('text' in node && 'quoted' in node) return node.text
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => key !== 'span' && value !== undefined)
      .map(([key, value]) => [key, shape(value)]),
  )
}

const EXPRESSION_KINDS =
  'text number boolean empty variable field payload session result topicPosition getTopic topicValue getJson uuid random ' +
  'getEnvironment timestamp filter split replace trim cast negate not arithmetic comparison logic choice pipeline ' +
  'object array group getModel'

function isExpression(node: { kind: unknown; line?: unknown }): node is Expression {
  return (
    EXPRESSION_KINDS.split(' ').includes(String(node.kind)) && 'span' in node && !('source' in node && 'name' in node)
  )
}

function written(node: Expression): string {
  switch (node.kind) {
    case 'text':
      return JSON.stringify(node.value)
    case 'number':
    case 'boolean':
      return String(node.value)
    case 'variable':
      return `{${node.path.join('.')}}`
    case 'field':
      return node.path.join('.')
    case 'session':
      return node.word
    case 'topicPosition':
      return `level ${node.position}`
    case 'getTopic':
      return `get<${written(node.topic)}>`
    case 'cast':
      return `(${written(node.operand)} as ${node.type})`
    case 'negate':
    case 'not':
      return `(${node.kind} ${written(node.operand)})`
    case 'arithmetic':
    case 'comparison':
    case 'logic':
      return `(${written(node.left)} ${node.operator} ${written(node.right)})`
    case 'choice': {
      const branches = node.branches.map(({ condition, value }) => `${written(condition)} ? ${written(value)}`)
      return `(${[...branches, node.otherwise ? written(node.otherwise) : 'nothing'].join(' : ')})`
    }
    case 'pipeline':
      return `${written(node.source)} | ${node.stages.map(({ kind }) => kind).join(' | ')}`
    case 'group':
      return `[${written(node.inner)}]`
    case 'getJson':
      return `json<${node.path.value} of ${written(node.source)}>`
    case 'trim':
      return `trim<${written(node.source)}>`
    default:
      return node.kind
  }
}

function parse(text: string, options?: ParseOptions) {
  const { program, diagnostics } = parseProgram(new Source('test', text), options)
  return { entities: program.entities, comments: program.comments, codes: diagnostics.map(({ code }) => code) }
}

function parseBody(body: string): readonly Statement[] {
  const { entities, codes } = parse(`DEFINE ACTION A\nON TOPIC "t" DO\n${body}`)
  t.same(codes, [], body)
  return (entities[0] as ActionNode).body
}

function expressionOf(value: string): string {
  const [statement] = parseBody(`    SET "x" WITH ${value}`)
  return statement.kind === 'set' ? written(statement.value) : ''
}

void t.test('precedence', async (t) => {
  const CASES: readonly (readonly [text: string, tree: string])[] = [
    ['1 + 2 * 3 - 4', '((1 + (2 * 3)) - 4)'],
    ['8 / 4 / 2 % 3', '(((8 / 4) / 2) % 3)'],
    ['-{a} + -2', '((negate {a}) + (negate 2))'],
    ['-{a} AS INT', '(negate ({a} as INT))'],
    ['{a} AS INT AS STRING', '(({a} as INT) as STRING)'],
    ['NOT {a} == 1 AND {b} OR {c}', '(((not ({a} == 1)) AND {b}) OR {c})'],
    ['{a} OR {b} AND {c}', '({a} OR ({b} AND {c}))'],
    ['{a} IS NOT EMPTY', '({a} != empty)'],
    ['{a} NOT EQUALS "x"', '({a} != "x")'],
    ['{a} <> 1 + 2', '({a} != (1 + 2))'],
    ['{a} ="HIGH"', '({a} == "HIGH")'],
    ['PAYLOAD +1', '(payload + 1)'],
    ['{n}+1', '({n} + 1)'],
    ['5 --3', '(5 - (negate 3))'],
    ['IF {a} THEN 1 ELSE IF {b} THEN 2 ELSE 3', '({a} ? 1 : {b} ? 2 : 3)'],
    ['IF {a} THEN IF {b} THEN 1 ELSE 2', '({a} ? ({b} ? 1 : 2) : nothing)'],
    ['IF {a} THEN 1 ELSE 2 AND_THEN TRIM', '({a} ? 1 : 2) | trim'],
    ['PAYLOAD AND_THEN REPLACE "a" WITH "b" AND_THEN TRIM', 'payload | replace | trim'],
    ['GET JSON "a" IN PAYLOAD AS INT', '(json<a of payload> as INT)'],
    ['GET JSON "a" IN GET JSON "b" IN {c} + 1', '(json<a of json<b of {c}>> + 1)'],
    ['TRIM PAYLOAD + 1', '(trim<payload> + 1)'],
    ['({a} + 1) * 2', '([({a} + 1)] * 2)'],
  ]
  for (const [text, tree] of CASES) t.equal(expressionOf(text), tree, text)
})

void t.test('where the topic of GET TOPIC ends', async (t) => {
  const CASES: readonly (readonly [text: string, tree: string])[] = [
    ['GET TOPIC "bin/" + {id} + "/level"', 'get<(("bin/" + {id}) + "/level")>'],
    ['GET TOPIC "bin/level" + 1', '(get<"bin/level"> + 1)'],
    ['GET TOPIC "bin/level" + {a}', '(get<"bin/level"> + {a})'],
    ['(GET TOPIC "bin/" + {id} + "/n") + 1', '([get<(("bin/" + {id}) + "/n")>] + 1)'],
    ['GET TOPIC "a/" + {a} + "/" + {b} + 1', '(get<((("a/" + {a}) + "/") + {b})> + 1)'],
    ['GET TOPIC "a" + GET TOPIC "b"', '(get<"a"> + get<"b">)'],
    [
      'GET TOPIC "a" AS DOUBLE / GET TOPIC "b" AS DOUBLE * 100',
      '(((get<"a"> as DOUBLE) / (get<"b"> as DOUBLE)) * 100)',
    ],
    ['GET TOPIC "a/" + TOPIC POSITION 2 + "/x" - 1', '(get<(("a/" + level 2) + "/x")> - 1)'],
    ['GET TOPIC "a/" + CLIENTID == EMPTY', '(get<("a/" + CLIENTID)> == empty)'],
    ['GET TOPIC {t} + "/x"', 'get<({t} + "/x")>'],
    ['GET TOPIC {t} + "x"', '(get<{t}> + "x")'],
    ['GET TOPIC "a/" + {a} + {b}', '(get<("a/" + {a})> + {b})'],
    ['GET TOPIC ("a" + {a}) + "b"', '(get<[("a" + {a})]> + "b")'],
  ]
  for (const [text, tree] of CASES) t.equal(expressionOf(text), tree, text)
})

void t.test('a deeper line goes on, another one ends the statement', async (t) => {
  const statements = parseBody(
    ['    SET "a" WITH 1', '        + 2', '    SET "b" WITH', '        {a}', '', '    SET "c" WITH (', '  1', ')'].join(
      '\n',
    ),
  )
  t.same(shape(statements), [
    { kind: 'set', variable: 'a', value: '(1 + 2)' },
    { kind: 'set', variable: 'b', value: '{a}' },
    { kind: 'set', variable: 'c', value: '[1]' },
  ])
})

void t.test('FOR and WITH tell the two forms of TRIGGER apart', async (t) => {
  const MAPPED = {
    'TRIM PAYLOAD': 'trim<payload>',
    'TIMESTAMP WITH "UTC"': 'timestamp',
    'TOPIC POSITION 2': 'level 2',
    TRUE: 'true',
    'NOT {a}': '(not {a})',
    'PAYLOAD AS INT': '(payload as INT)',
    'REPLACE "a" WITH "b" IN PAYLOAD': 'replace',
    'IF {a} THEN 1 ELSE 2': '({a} ? 1 : 2)',
    '"text"': '"text"',
  }
  for (const [payload, tree] of Object.entries(MAPPED)) {
    const [statement] = parseBody(`    TRIGGER "R" TO ${payload}\n        FOR m\n    SET "x" WITH 1`)
    t.same(shape(statement), { kind: 'triggerMapping', route: '"R"', payload: tree, mapping: 'm' }, payload)
  }
  for (const route of ['Mail', 'TRIM', 'PAYLOAD', 'True']) {
    const [statement] = parseBody(`    TRIGGER "E" TO ${route} WITH {"FOR": 1}\n    TRIGGER "R" TO 5 FOR m`)
    t.same(shape(statement), { kind: 'triggerEvent', event: '"E"', route, payload: 'object' }, route)
  }
  const [statement] = parseBody('    IF 1 THEN TRIGGER "E" TO Mail WITH 1 ELSE TRIGGER "R" TO 5 FOR m')
  t.match(statement, {
    branches: [{ body: [{ kind: 'triggerEvent' }] }],
    otherwise: [{ kind: 'triggerMapping' }],
  })
  t.same(parse('DEFINE ACTION A\nON START DO\n    TRIGGER "E" TO Mail 5').codes, ['LOT2001'])
  t.same(parse('DEFINE ACTION A\nON START DO\n    TRIGGER "E" TO PAYLOAD').codes, ['LOT2001'])
})

void t.test('an ELSE belongs to the IF of its column, or of its line', async (t) => {
  const [outer] = parseBody(
    ['    IF 1 THEN', '        IF 2 THEN SET "a" WITH IF 3 THEN 4', '    ELSE', '        SET "a" WITH 5'].join('\n'),
  )
  t.same(shape(outer), {
    kind: 'if',
    branches: [
      {
        condition: '1',
        body: [
          {
            kind: 'if',
            branches: [{ condition: '2', body: [{ kind: 'set', variable: 'a', value: '(3 ? 4 : nothing)' }] }],
          },
        ],
      },
    ],
    otherwise: [{ kind: 'set', variable: 'a', value: '5' }],
  })
})

void t.test('what is wrong leaves the rest as it is', async (t) => {
  const { entities, codes } = parse(
    [
      'DEFINE ACTION One',
      'ON TOPIC "t" DO',
      '    SET "a" WITH (1',
      '    SET "b" WITH 2',
      '    IF {b} > THEN',
      '        SET "lost" WITH 1',
      '    PUBLISH TOPIC "c" WITH 3',
      'DEFINE MODEL Two',
    ].join('\n'),
  )
  t.same(codes, ['LOT2001', 'LOT2007'])
  t.same(shape(entities), [
    {
      kind: 'action',
      name: 'One',
      trigger: { kind: 'topic', filter: '"t"' },
      inputs: [],
      body: [
        { kind: 'set', variable: 'b', value: '2' },
        { kind: 'publish', topic: '"c"', value: '3' },
      ],
      outputs: [],
    },
    { kind: 'model', name: 'Two', collapsed: false, retain: false, qos: 0, members: [] },
  ])
})

void t.test('comments are kept with their places', async (t) => {
  const { comments } = parse(
    '// head\nDEFINE MODEL M // end of line\n    -- alone\n    ADD INT "a" /* two\nlines */ WITH 1',
  )
  t.same(
    comments.map(({ text, ownLine }) => [text, ownLine]),
    [
      ['// head', true],
      ['// end of line', false],
      ['-- alone', true],
      ['/* two\nlines */', false],
    ],
  )
  t.same(parse('DEFINE MODEL M\n/* open').codes, ['LOT1003'])
})

void t.test('options', async (t) => {
  t.same(parse('DEFINE MODEL "M" FROM "P"', { compat: 'v1' }).codes, [])
  const odd = 'DEFINE ACTION A\nON START DO\n  SET "a" WITH 1\n  SET "b" WITH 1'
  t.same(parse(odd).codes, ['LOT9001'])
  const strict = parseProgram(new Source('test', odd), { strictIndent: true }).diagnostics
  t.same(
    strict.map(({ code, severity }) => `${code} ${severity}`),
    ['LOT9001 error', 'LOT9001 error'],
  )
})

void t.test('carriage returns and a byte order mark mean nothing', async (t) => {
  const { entities, codes } = parse(
    '\uFEFFDEFINE ACTION A\r\nON START DO\r\n\r\n    SET "a" WITH 1\r\n    SET "b" WITH 2\r\n',
  )
  t.same(codes, [])
  t.equal((entities[0] as ActionNode).body.length, 2)
})

void t.test('what stands behind a statement on its line', async (t) => {
  const text = 'DEFINE ACTION A\nON START DO\n    SET "foo" WITH 1 bar\n'
  const { diagnostics } = parseProgram(new Source('test', text))
  t.same(
    diagnostics.map(({ message }) => message),
    ['Expected NEWLINE, but found IDENTIFIER bar: the line must end before it'],
  )
})

void t.test('a hundred errors are enough, and warnings do not use them up', async (t) => {
  const wrong = parse(`DEFINE ACTION A\nON START DO\n${'    SET\n'.repeat(300)}`)
  t.equal(wrong.codes.length, 101)
  t.equal(wrong.codes.at(-1), 'LOT2028')
  const odd = parse(`DEFINE ACTION A\nON START DO\n${'    IF 1 THEN\n      SET "a" WITH 1\n'.repeat(300)}    SET`)
  t.equal(odd.codes.length, 101)
  t.equal(odd.codes.at(-1), 'LOT2001')
})
