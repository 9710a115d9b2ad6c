/** Operators, casts and choices, with a short way for operands that are numbers already. */
import type { Expression } from '../tree.js'
import { booleanOf, cast, numberOf, truthOf } from '../values/casts.js'
import { parseNumber, parseNumberBytes } from '../values/number-text.js'
import { add, calculate, compare, equals } from '../values/operators.js'
import { isEmpty, MISSING_KEY, OuterText, textOf, type Value } from '../values/value.js'
import { type Compiled, dynamic, type Evaluate, fold, type Scope } from './compiled.js'
import type { Run } from './run.js'

type Node<Kind extends Expression['kind']> = Extract<Expression, { kind: Kind }>
export type Test = (run: Run) => boolean

/** An expression in the place of a condition. */
export function compileTest(node: Expression, scope: Scope): Test {
  return testOf(scope.expression(node))
}

function testOf({ run }: Compiled): Test {
  return (state) => {
    const value = run(state)
    return typeof value === 'boolean' ? value : truthOf(value)
  }
}

export function compileCast(node: Node<'cast'>, scope: Scope): Compiled {
  const { type } = node
  if (type === 'DOUBLE' || type === 'FLOAT') {
    if (node.operand.kind === 'payload') {
      return dynamic((run) => {
        const { payload } = run.occasion
        return payload === undefined ? undefined : (parseNumberBytes(payload) ?? 0)
      }, true)
    }
    const operand = scope.expression(node.operand)
    return fold(
      [operand],
      (run) => {
        const value = operand.run(run)
        return typeof value === 'number' ? value : cast(value, 'DOUBLE')
      },
      true,
    )
  }
  const operand = scope.expression(node.operand)
  return fold([operand], (run) => cast(operand.run(run), type), type === 'INT')
}

export function compileNegate(node: Node<'negate'>, scope: Scope): Compiled {
  const operand = scope.expression(node.operand)
  return fold([operand], (run) => calculate('-', 0, operand.run(run)), true)
}

export function compileNot(node: Node<'not'>, scope: Scope): Compiled {
  const operand = scope.expression(node.operand)
  return fold([operand], (run) => !truthOf(operand.run(run)))
}

export function compileArithmetic(node: Node<'arithmetic'>, scope: Scope): Compiled {
  const left = scope.expression(node.left)
  const right = scope.expression(node.right)
  const a = left.run
  const b = right.run
  const at = node.span.start
  const fallBack = (operator: '-' | '*' | '/' | '%', x: Value, y: Value, run: Run): number => {
    run.at = at
    return calculate(operator, x, y)
  }
  const folded = (run: Evaluate): Compiled => fold([left, right], run, true)
  switch (node.operator) {
    case '+':
      return compileAdd(left, right)
    case '-':
      return folded((run) => {
        const x = a(run)
        const y = b(run)
        return typeof x === 'number' && typeof y === 'number' ? x - y : fallBack('-', x, y, run)
      })
    case '*':
      return folded((run) => {
        const x = a(run)
        const y = b(run)
        return typeof x === 'number' && typeof y === 'number' ? x * y : fallBack('*', x, y, run)
      })
    case '/':
      return folded((run) => {
        const x = a(run)
        const y = b(run)
        return typeof x === 'number' && typeof y === 'number' && y !== 0 ? x / y : fallBack('/', x, y, run)
      })
    default:
      return folded((run) => fallBack('%', a(run), b(run), run))
  }
}

function compileAdd(left: Compiled, right: Compiled): Compiled {
  const a = left.run
  const b = right.run
  const emptyIsZero = left.isNumeric || right.isNumeric
  const isNumeric = left.isNumeric && right.isNumeric
  if (isPlainText(left)) return fold([left, right], (run) => textOf(a(run)) + textOf(b(run)))
  return fold(
    [left, right],
    (run) => {
      const x = a(run)
      const y = b(run)
      return typeof x === 'number' && typeof y === 'number' ? x + y : add(x, y, emptyIsZero)
    },
    isNumeric,
  )
}

/** A literal that is no number: `+` after it can only join text. */
function isPlainText({ constant }: Compiled): boolean {
  return typeof constant?.value === 'string' && parseNumber(constant.value) === undefined
}

export function compileComparison(node: Node<'comparison'>, scope: Scope): Compiled {
  const left = scope.expression(node.left)
  const right = scope.expression(node.right)
  const a = left.run
  const b = right.run
  const { operator } = node
  switch (operator) {
    case '==':
    case '!=': {
      const test = compileEquals(left, right)
      return fold([left, right], operator === '==' ? test : (run) => !test(run))
    }
    case '<':
      return fold([left, right], (run) => {
        const x = a(run)
        const y = b(run)
        return typeof x === 'number' && typeof y === 'number' ? x < y : compare('<', x, y)
      })
    case '>':
      return fold([left, right], (run) => {
        const x = a(run)
        const y = b(run)
        return typeof x === 'number' && typeof y === 'number' ? x > y : compare('>', x, y)
      })
    default:
      return fold([left, right], (run) => compare(operator, a(run), b(run)))
  }
}

/** What the other side is need not be found out again for each message where one side is a constant. */
export function compileEquals(left: Compiled, right: Compiled): Test {
  if (right.constant === undefined) {
    if (left.constant !== undefined) return compileEquals(right, left)
    return (run) => equals(left.run(run), right.run(run))
  }
  const { value } = right.constant
  const { run } = left
  // The text of a missing key counts as well.
  if (value === MISSING_KEY) return (state) => equals(run(state), value)
  if (isEmpty(value)) return (state) => isEmpty(run(state))
  const number = numberOf(value)
  if (number !== undefined) {
    return (state) => {
      const other = run(state)
      return typeof other === 'number' ? other === number : numberOf(other) === number
    }
  }
  const truth = booleanOf(value)
  if (truth !== undefined) return (state) => booleanOf(run(state)) === truth
  const text = textOf(value)
  return (state) => {
    const other = run(state)
    // A payload of another length is another text as long as both are ASCII; decoding it is the slow part.
    if (other instanceof OuterText && other.bytes.length < text.length) return false
    return textOf(other) === text
  }
}

export function compileLogic(node: Node<'logic'>, scope: Scope): Compiled {
  const left = scope.expression(node.left)
  const right = scope.expression(node.right)
  const a = testOf(left)
  const b = testOf(right)
  return fold([left, right], node.operator === 'AND' ? (run) => a(run) && b(run) : (run) => a(run) || b(run))
}

export function compileChoice(node: Node<'choice'>, scope: Scope): Compiled {
  const branches = node.branches.map(({ condition, value }) => ({
    test: compileTest(condition, scope),
    value: scope.expression(value),
  }))
  const otherwise = node.otherwise === undefined ? undefined : scope.expression(node.otherwise)
  const isNumeric = branches.every(({ value }) => value.isNumeric) && (otherwise?.isNumeric ?? true)
  return dynamic((run) => {
    for (let i = 0; i < branches.length; i++) {
      if (branches[i].test(run)) return branches[i].value.run(run)
    }
    return otherwise?.run(run)
  }, isNumeric)
}
