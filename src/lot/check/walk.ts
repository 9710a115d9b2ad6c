/** Ways through a tree: what an expression or a statement is made of, in the order of the text. */
import type { Expression, PipelineStage, Statement } from '../tree.js'

/** The expressions directly within one. Literals of a form of their own (patterns, paths) are not among them. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'getTopic':
      return [expression.topic]
    case 'getJson':
    case 'filter':
    case 'split':
    case 'trim':
      return [expression.source]
    case 'getModel':
      return [expression.value]
    case 'random':
      return [expression.from, expression.to]
    case 'replace':
      return [expression.replacement, expression.source]
    case 'cast':
    case 'negate':
    case 'not':
      return [expression.operand]
    case 'arithmetic':
    case 'comparison':
    case 'logic':
      return [expression.left, expression.right]
    case 'choice': {
      const parts = expression.branches.flatMap(({ condition, value }) => [condition, value])
      return expression.otherwise === undefined ? parts : [...parts, expression.otherwise]
    }
    case 'pipeline':
      return [expression.source, ...expression.stages.flatMap(partsOfStage)]
    case 'object':
      return expression.members.map(({ value }) => value)
    case 'array':
      return expression.items
    case 'group':
      return [expression.inner]
    default:
      return []
  }
}

function partsOfStage(stage: PipelineStage): readonly Expression[] {
  return stage.kind === 'replace' ? [stage.replacement] : []
}

/** An expression and everything within it, the outer before the inner. */
export function* everyExpression(expression: Expression): Generator<Expression> {
  yield expression
  for (const part of partsOf(expression)) yield* everyExpression(part)
}

/** The expressions of a statement, without those of the statements within it. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case 'set':
    case 'keepEnvironment':
      return [statement.value]
    case 'publish':
    case 'keep':
      return [statement.topic, statement.value]
    case 'publishModel':
      return [statement.topic, ...statement.assignments.map(({ value }) => value)]
    case 'if':
      return statement.branches.map(({ condition }) => condition)
    case 'switch':
      return [statement.subject, ...statement.cases.map(({ value }) => value)]
    case 'loop':
      return [statement.until]
    case 'callAction':
    case 'callMcp':
    case 'callModel':
      return statement.arguments.map(({ value }) => value)
    case 'callPython':
      return statement.arguments
    case 'triggerEvent':
    case 'triggerMapping':
      return [statement.payload]
    case 'deleteEnvironment':
      return []
  }
}

/** The blocks of a statement. */
export function blocksOf(statement: Statement): readonly (readonly Statement[])[] {
  switch (statement.kind) {
    case 'if':
      return withOtherwise(statement.branches, statement.otherwise)
    case 'switch':
      return withOtherwise(statement.cases, statement.otherwise)
    case 'loop':
      return [statement.body]
    default:
      return []
  }
}

function withOtherwise(
  branches: readonly { readonly body: readonly Statement[] }[],
  otherwise: readonly Statement[] | undefined,
): readonly (readonly Statement[])[] {
  const blocks = branches.map(({ body }) => body)
  return otherwise === undefined ? blocks : [...blocks, otherwise]
}

/** Statements with those within them, the outer before the inner. */
export function* everyStatement(body: readonly Statement[]): Generator<Statement> {
  for (const statement of body) {
    yield statement
    for (const block of blocksOf(statement)) yield* everyStatement(block)
  }
}

/** The variables that a statement itself gives a value to. */
export function assignedBy(statement: Statement): readonly string[] {
  switch (statement.kind) {
    case 'set':
      return [statement.variable.text]
    case 'callAction':
      return statement.results.map(({ text }) => text)
    case 'callPython':
    case 'callMcp':
    case 'callModel':
      return statement.result === undefined ? [] : [statement.result.text]
    default:
      return []
  }
}

/** An expression without the parentheses around it. */
export function bare(expression: Expression): Expression {
  return expression.kind === 'group' ? bare(expression.inner) : expression
}
