/** Where names stand in a text, and what they name. */
import { everyExpression, everyStatement, expressionsOf } from '../check/walk.js'
import type { Span } from '../source.js'
import type {
  ActionNode,
  Entity,
  EntityKind,
  Expression,
  FieldNode,
  ModelNode,
  Name,
  Program,
  Statement,
  TextNode,
} from '../tree.js'

export interface Occurrence {
  readonly kind: EntityKind | 'variable' | 'field'
  readonly name: string
  /** Of a variable `action Name`; of a field the name of the model that is spoken of; otherwise empty. */
  readonly within: string
  /** The name alone, without quotes and braces. */
  readonly span: Span
  readonly isDefinition: boolean
}

export function occurrencesIn(program: Program, text: string): readonly Occurrence[] {
  const collector = new Collector(text)
  for (const entity of program.entities) collector.entity(entity)
  return collector.found.sort((one, other) => one.span.start - other.span.start)
}

export function scopeOf({ kind, name }: Entity): string {
  return `${kind} ${name.text}`
}

class Collector {
  readonly found: Occurrence[] = []

  constructor(readonly text: string) {}

  entity(entity: Entity): void {
    this.#name(entity.kind, entity.name, '', true)
    if (entity.kind === 'action') this.#action(entity)
    else if (entity.kind === 'model') this.#model(entity)
    else if (entity.kind === 'panel') {
      for (const { items } of entity.components) {
        for (const item of items) if (item.kind === 'onClick') this.#body(item.body, scopeOf(entity))
      }
    }
  }

  #action(action: ActionNode): void {
    const scope = scopeOf(action)
    for (const { name } of action.inputs) this.#name('variable', name, scope, true)
    this.#body(action.body, scope)
    for (const name of action.outputs) this.#name('variable', name, scope, false)
  }

  #body(body: readonly Statement[], scope: string): void {
    for (const statement of everyStatement(body)) {
      this.#statement(statement, scope)
      for (const expression of expressionsOf(statement)) this.#expression(expression, scope)
    }
  }

  #statement(statement: Statement, scope: string): void {
    switch (statement.kind) {
      case 'set':
        this.#name('variable', statement.variable, scope, true)
        return
      case 'publishModel':
        this.#name('model', statement.model, '', false)
        for (const { path, span } of statement.assignments) this.#field(path[0], statement.model.text, span)
        return
      case 'callAction':
        this.#name('action', statement.action, '', false)
        for (const { name } of statement.arguments)
          this.#name('variable', name, `action ${statement.action.text}`, false)
        for (const name of statement.results) this.#name('variable', name, scope, true)
        return
      case 'callPython':
      case 'callMcp':
      case 'callModel':
        if (statement.result !== undefined) this.#name('variable', statement.result, scope, true)
        if (statement.kind === 'callModel') this.#quoted('route', statement.route)
        return
      case 'triggerEvent':
        this.#name('route', statement.route, '', false)
        return
      case 'triggerMapping':
        this.#quoted('route', statement.route)
    }
  }

  #model(model: ModelNode): void {
    if (model.parent !== undefined) this.#name('model', model.parent, '', false)
    const { text } = model.name
    for (const member of model.members) {
      if (member.kind === 'field') {
        this.#name('field', member.name, text, true)
        this.#fieldValue(member, text)
      } else if (member.kind === 'collection') {
        this.#name('field', member.name, text, true)
        this.#name('model', member.model, '', false)
      } else {
        this.#quoted('route', member.route)
        if (member.when !== undefined) this.#expression(member.when, text, 'field')
      }
    }
  }

  #fieldValue({ source, members }: FieldNode, model: string): void {
    if (source?.kind === 'value') this.#expression(source.value, model, 'field')
    for (const member of members) this.#fieldValue(member, model)
  }

  /**
   * @param scope of variables, or the name of a model
   * @param meaning of names in braces: in models they are fields
   */
  #expression(expression: Expression, scope: string, meaning: 'variable' | 'field' = 'variable'): void {
    for (const part of everyExpression(expression)) {
      if (part.kind === 'variable') this.#within(meaning, part.path[0], scope, part.span)
      else if (part.kind === 'field') this.#within('field', part.path[0], scope, part.span)
      else if (part.kind === 'getModel') {
        this.#quoted('model', part.model)
        this.#quoted('route', part.route)
        this.#name('field', part.field, part.model.value, false)
      }
    }
  }

  /** Its span may be wider than the name: quotes, or the braces of `RETURN AS {name}`. */
  #name(kind: Occurrence['kind'], { text, span }: Name, within: string, isDefinition: boolean): void {
    this.#within(kind, text, within, span, isDefinition)
  }

  #quoted(kind: EntityKind, { value, span }: TextNode): void {
    this.#within(kind, value, '', span)
  }

  #field(name: string | undefined, model: string, span: Span): void {
    if (name !== undefined) this.#within('field', name, model, span)
  }

  /** The first place within `span` where the name stands; a string with escapes has none. */
  #within(kind: Occurrence['kind'], name: string, within: string, span: Span, isDefinition = false): void {
    const start = this.text.indexOf(name, span.start)
    if (name === '' || start < 0 || start + name.length > span.end) return
    this.found.push({ kind, name, within, span: { start, end: start + name.length }, isDefinition })
  }
}
