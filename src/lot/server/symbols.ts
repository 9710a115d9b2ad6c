/** The outline of a text: entities, and what they consist of. */
import { type DocumentSymbol, SymbolKind } from 'vscode-languageserver'
import type { Span } from '../source.js'
import type { Entity, EntityKind, Name } from '../tree.js'
import type { LotDocument } from './lot-document.js'

const KINDS: Readonly<Record<EntityKind, SymbolKind>> = {
  action: SymbolKind.Function,
  model: SymbolKind.Class,
  route: SymbolKind.Interface,
  rule: SymbolKind.Event,
  panel: SymbolKind.Module,
  theme: SymbolKind.Namespace,
}

export function symbolsOf(document: LotDocument): DocumentSymbol[] {
  return document.program.entities.map((entity) => ({
    ...symbol(document, entity.name, KINDS[entity.kind], entity.span),
    detail: entity.kind,
    children: partsOf(entity).map(({ name, span, kind }) => symbol(document, name, kind, span)),
  }))
}

interface Part {
  readonly name: Name
  readonly span: Span
  readonly kind: SymbolKind
}

function partsOf(entity: Entity): Part[] {
  switch (entity.kind) {
    case 'action':
      return entity.inputs.map(({ name }) => ({ name, span: name.span, kind: SymbolKind.Variable }))
    case 'model':
      return entity.members.flatMap((member) =>
        member.kind === 'field' || member.kind === 'collection'
          ? [{ name: member.name, span: member.span, kind: SymbolKind.Field }]
          : [],
      )
    case 'route':
      return entity.members.flatMap((member) =>
        member.kind === 'event' || member.kind === 'mapping'
          ? [{ name: member.name, span: member.span, kind: SymbolKind.Event }]
          : [],
      )
    case 'panel':
      return entity.components.map(({ name, span }) => ({ name, span, kind: SymbolKind.Object }))
    default:
      return []
  }
}

/** Editors refuse symbols without a name, and such whose name lies outside of them. */
function symbol(document: LotDocument, name: Name, kind: SymbolKind, span: Span): DocumentSymbol {
  const whole = { start: Math.min(span.start, name.span.start), end: Math.max(span.end, name.span.end) }
  return {
    name: name.text === '' ? '?' : name.text,
    kind,
    range: document.range(whole),
    selectionRange: document.range(name.span),
  }
}
