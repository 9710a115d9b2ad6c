/** Models as lines. */
import type { CollectionNode, FetchNode, FieldNode, ModelNode, StoreNode } from '../tree.js'
import { nameText, type Piece, piecesOf } from './pieces.js'
import type { Sheet } from './sheet.js'

export function writeModel(sheet: Sheet, model: ModelNode): void {
  const { name, parent, topic, format, span } = model
  const header = [`DEFINE MODEL ${nameText(name)}`]
  if (model.collapsed) header.push('COLLAPSED')
  if (parent !== undefined) header.push(`FROM ${nameText(parent)}`)
  if (topic !== undefined) header.push(`WITH TOPIC ${topic.written}`)
  if (model.retain) header.push('RETAIN')
  if (model.qos > 0) header.push(`QOS${model.qos}`)
  if (format !== undefined) header.push(`WITH FORMAT ${format}`)
  const end = Math.max(name.span.end, parent?.span.end ?? 0, topic?.span.end ?? 0)
  sheet.add(0, [header.join(' ')], { start: span.start, end }, 'define')
  for (const member of model.members) writeMember(sheet, member)
}

function writeMember(sheet: Sheet, member: FieldNode | CollectionNode | StoreNode | FetchNode): void {
  switch (member.kind) {
    case 'field':
      writeField(sheet, member, 1)
      return
    case 'collection': {
      const text = `ADD COLLECTION ${nameText(member.name)} OF ${nameText(member.model)}`
      sheet.add(1, [text], member.span, 'item')
      return
    }
    case 'store':
      sheet.add(1, [`STORE IN ${tableText(member)}`, ...whenPieces(member)], member.span, 'item')
      return
    case 'fetch': {
      const limit = member.limit === undefined ? '' : ` LIMIT ${member.limit}`
      sheet.add(1, [`FETCH FROM ${tableText(member)}`, ...whenPieces(member), limit], member.span, 'item')
    }
  }
}

function writeField(sheet: Sheet, { name, type, source, members, span }: FieldNode, level: number): void {
  const pieces: Piece[] = [type === undefined ? `ADD ${nameText(name)}` : `ADD ${type} ${nameText(name)}`]
  if (source?.kind === 'topic') {
    pieces.push(` WITH TOPIC ${source.filter.written}`, source.isTrigger ? ' AS TRIGGER' : '')
  } else if (source?.kind === 'value') pieces.push(' WITH ', ...piecesOf(source.value))
  const end = source?.span.end ?? name.span.end
  sheet.add(level, pieces, { start: span.start, end }, 'item')
  for (const member of members) writeField(sheet, member, level + 1)
}

function tableText({ route, table }: StoreNode | FetchNode): string {
  return `${route.written} WITH TABLE ${table.written}`
}

function whenPieces({ when }: StoreNode | FetchNode): readonly Piece[] {
  return when === undefined ? [] : [' WHEN ', ...piecesOf(when)]
}
