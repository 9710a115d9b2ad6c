/** From a name to its definitions and its other places, and to another name. */
import type { Location, TextEdit, WorkspaceEdit } from 'vscode-languageserver'
import type { LotDocument } from './lot-document.js'
import type { PlacedOccurrence, Workspace } from './workspace.js'

export function definitionsAt(document: LotDocument, offset: number, workspace: Workspace): Location[] {
  const found = sameAt(document, offset, workspace)
  return found.filter(({ occurrence }) => occurrence.isDefinition).map(locationOf)
}

export function referencesAt(
  document: LotDocument,
  offset: number,
  workspace: Workspace,
  includesDefinitions: boolean,
): Location[] {
  const found = sameAt(document, offset, workspace)
  return found.filter(({ occurrence }) => includesDefinitions || !occurrence.isDefinition).map(locationOf)
}

/** @throws Error for a name that cannot be */
export function renameAt(
  document: LotDocument,
  offset: number,
  workspace: Workspace,
  newName: string,
): WorkspaceEdit | undefined {
  if (!/^[A-Za-z_]\w*$/.test(newName)) throw new Error('a name has letters, digits and _, and begins with no digit')
  const found = sameAt(document, offset, workspace)
  if (found.length === 0) return undefined
  const changes: Record<string, TextEdit[]> = {}
  for (const { document: where, occurrence } of found) {
    changes[where.uri] ??= []
    changes[where.uri].push({ range: where.range(occurrence.span), newText: newName })
  }
  return { changes }
}

function sameAt(document: LotDocument, offset: number, workspace: Workspace): PlacedOccurrence[] {
  const occurrence = document.occurrenceAt(offset)
  return occurrence === undefined ? [] : workspace.same(occurrence)
}

function locationOf({ document, occurrence }: PlacedOccurrence): Location {
  return { uri: document.uri, range: document.range(occurrence.span) }
}
