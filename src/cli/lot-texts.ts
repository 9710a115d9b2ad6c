/** Texts that are read, parsed and checked together: what one defines, the others know. */
import { type CheckWorld, checkProgram } from '../lot/check/check.js'
import type { Diagnostic } from '../lot/diagnostics.js'
import { Source } from '../lot/source.js'
import { type ParseOptions, parseProgram } from '../lot/syntax/parse.js'
import type { ActionNode, Entity, EntityKind, ModelNode, Program, RouteNode } from '../lot/tree.js'
import type { LotFiles, LotText, PythonText } from './lot-files.js'

export interface CheckedText extends LotText {
  readonly source: Source
  readonly program: Program
  /** By place. */
  readonly diagnostics: readonly Diagnostic[]
}

interface Place {
  readonly entity: Entity
  readonly text: LotText
}

export interface Compat {
  readonly compat: 'v1' | 'v2'
  readonly strictIndent: boolean
}

/** `plant.lot`, `plant.lotnb cell 3` */
export function textName({ file, cell }: Pick<LotText, 'file' | 'cell'>): string {
  return cell === undefined ? file : `${file} cell ${cell}`
}

export class LotTexts {
  readonly texts: readonly CheckedText[]
  /** What the texts do to one another. */
  readonly warnings: readonly string[]

  constructor(files: LotFiles, options: Compat) {
    const parseOptions: ParseOptions = options
    const parsed = files.texts.map((text) => {
      const source = new Source(textName(text), text.text)
      return { text, source, ...parseProgram(source, parseOptions) }
    })
    const places = new Map<string, Place[]>()
    for (const { text, program } of parsed) {
      for (const entity of program.entities) {
        const key = entityKey(entity.kind, entity.name.text)
        places.set(key, [...(places.get(key) ?? []), { entity, text }])
      }
    }
    const world = worldOf(places, files.scripts)
    this.warnings = [...places.values()].flatMap(repetitions)
    this.texts = parsed.map(({ text, source, program, diagnostics }) => {
      const all = [...diagnostics, ...checkProgram(program, world, options)]
      return { ...text, source, program, diagnostics: all.sort((a, b) => a.span.start - b.span.start) }
    })
  }

  count(severity: 'error' | 'warning'): number {
    const diagnostics = this.texts.flatMap((text) => text.diagnostics)
    return diagnostics.filter((diagnostic) => diagnostic.severity === severity).length
  }
}

function entityKey(kind: EntityKind, name: string): string {
  return `${kind} ${name}`
}

/** The last one holds, as in a project. */
function worldOf(places: ReadonlyMap<string, readonly Place[]>, scripts: readonly PythonText[]): CheckWorld {
  const find = (kind: EntityKind, name: string): Entity | undefined => places.get(entityKey(kind, name))?.at(-1)?.entity
  const functions = new Map(scripts.map(({ name, text }) => [name, functionsOf(text)]))
  return {
    model: (name) => find('model', name) as ModelNode | undefined,
    action: (name) => find('action', name) as ActionNode | undefined,
    route: (name) => find('route', name) as RouteNode | undefined,
    python: (script) => functions.get(script),
  }
}

/** Names that the script defines, and those that it may have taken from elsewhere. */
function functionsOf(script: string): string[] {
  const defined = script.matchAll(
    /^(?:async[ \t]+)?def[ \t]+(\w+)|^(\w+)[ \t]*=|^from[ \t]+\S+[ \t]+import[ \t]+(.+)$/gm,
  )
  return [...defined].flatMap(([, name, assigned, imported]) => name ?? assigned ?? imported.match(/\w+/g) ?? [])
}

/** Within one text the checker reports it. */
function repetitions(places: readonly Place[]): string[] {
  const [first, ...others] = places
  return others
    .filter(({ text }) => text !== first.text)
    .map(({ entity, text }) => {
      const { kind, name } = entity
      return `${kind} ${name.text} is defined in ${textName(first.text)} and again in ${textName(text)}; the last one holds`
    })
}
