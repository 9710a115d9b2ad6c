/** DEFINE MODEL: its header, whose clauses stand in any order, and its fields. */
import type {
  CollectionNode,
  FetchNode,
  FieldNode,
  FieldSource,
  FieldType,
  ModelNode,
  Name,
  StoreNode,
  TextNode,
} from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseEntityName, parseOneOf, parseQuotedName, parseQuotedOrBareName, parseText, parseWhole } from './names.js'
import { parseCondition, parseValue } from './parse-expression.js'
import { type Token, tokenName } from './token.js'

export const FIELD_TYPES: readonly FieldType[] = [
  'STRING',
  'INT',
  'DOUBLE',
  'FLOAT',
  'BOOL',
  'OBJECT',
  'ARRAY',
  'TIMESTAMP',
]

interface Header {
  collapsed: boolean
  parent: Name | undefined
  retain: boolean
  qos: 0 | 1 | 2
  topic: TextNode | undefined
  format: ModelNode['format']
}

/** @param start the DEFINE; the cursor is behind MODEL */
export function parseModel(cursor: Cursor, start: Token): ModelNode {
  const name = parseEntityName(cursor)
  const header: Header = {
    collapsed: false,
    parent: undefined,
    retain: false,
    qos: 0,
    topic: undefined,
    format: undefined,
  }
  cursor.tolerate(() => parseHeader(cursor, header), 'ADD')
  const members = cursor.hasBlock() ? cursor.block(() => parseMember(cursor), 'DEFINE MODEL') : []
  return { kind: 'model', name, ...header, members, span: cursor.spanFrom(start) }
}

function parseHeader(cursor: Cursor, header: Header): void {
  while (parseHeaderClause(cursor, header));
  if (!cursor.hasBlock() && !cursor.atLineEnd()) cursor.fail(['COLLAPSED', 'FROM', 'KEEP', 'RETAIN', 'QOS0', 'WITH'])
}

function parseHeaderClause(cursor: Cursor, header: Header): boolean {
  if (cursor.accept('COLLAPSED')) header.collapsed = true
  else if (cursor.accept('FROM')) header.parent = parseEntityName(cursor)
  else if (cursor.accept('KEEP')) header.retain = true
  else if (parseDelivery(cursor, header)) return true
  else if (cursor.accept('WITH')) parseWithClause(cursor, header)
  else return false
  return true
}

/** `RETAIN`, `RETAIN AND QOS1`, `QOS1` */
function parseDelivery(cursor: Cursor, header: Header): boolean {
  if (cursor.accept('RETAIN')) {
    header.retain = true
    if (cursor.accept('AND') && !parseQos(cursor, header)) cursor.fail(['QOS0', 'QOS1', 'QOS2'])
    return true
  }
  return parseQos(cursor, header)
}

function parseQos(cursor: Cursor, header: Header): boolean {
  if (cursor.accept('QOS0')) header.qos = 0
  else if (cursor.accept('QOS1')) header.qos = 1
  else if (cursor.accept('QOS2')) header.qos = 2
  else return false
  return true
}

function parseWithClause(cursor: Cursor, header: Header): void {
  const token = cursor.peek()
  if (cursor.accept('TOPIC')) header.topic = parseText(cursor)
  else if (parseDelivery(cursor, header)) return
  else if (cursor.accept('FORMAT')) parseFormat(cursor, header)
  else if (cursor.accept('FORMATS')) {
    cursor.report.add('LOT2023', 'Unexpected FORMATS', token, 'FORMAT')
    parseFormat(cursor, header)
  } else if (cursor.accept('COLLAPSED')) {
    const span = cursor.spanFrom(cursor.peekRaw(-2))
    cursor.report.add('LOT2023', 'Unexpected COLLAPSED after WITH', token, { span, replacement: 'COLLAPSED' })
    header.collapsed = true
  } else cursor.fail(['TOPIC', 'RETAIN', 'QOS0', 'QOS1', 'QOS2', 'FORMAT'])
}

function parseFormat(cursor: Cursor, header: Header): void {
  const token = cursor.peek()
  header.format = parseOneOf(cursor, ['JSON', 'PROTOBUF', 'BOTH'])
  if (header.format === 'JSON') return
  cursor.report.add('LOT2040', `Not supported: FORMAT ${header.format}`, token, 'JSON')
}

type Member = ModelNode['members'][number]

function parseMember(cursor: Cursor): Member {
  const start = cursor.peek()
  if (cursor.accept('ADD')) return cursor.at('COLLECTION') ? parseCollection(cursor, start) : parseField(cursor, start)
  if (cursor.accept('STORE')) return parseStore(cursor, start)
  if (cursor.accept('FETCH')) return parseFetch(cursor, start)
  if (cursor.at('VALIDATE') || cursor.at('ON')) {
    const message = `${tokenName(start)} is planned text of old documents: check values in an action`
    return cursor.failWith('LOT2017', message, start)
  }
  return cursor.fail(['ADD', 'STORE', 'FETCH'])
}

function parseCollection(cursor: Cursor, start: Token): CollectionNode {
  cursor.accept('COLLECTION')
  const name = parseQuotedName(cursor)
  cursor.expect('OF')
  const model = parseQuotedOrBareName(cursor)
  cursor.acceptSymbol(',')
  return { kind: 'collection', name, model, span: cursor.spanFrom(start) }
}

function parseField(cursor: Cursor, start: Token): FieldNode {
  let type = parseFieldType(cursor)
  const name = parseQuotedName(cursor)
  if (cursor.accept('AS')) type = parseOneOf(cursor, FIELD_TYPES)
  const source = parseFieldSource(cursor)
  cursor.acceptSymbol(',')
  const takesMembers = type === 'OBJECT' || type === 'ARRAY'
  const members = takesMembers && cursor.hasBlock() ? cursor.block(() => parseNestedField(cursor), name.text) : []
  return { kind: 'field', name, type, source, members, span: cursor.spanFrom(start) }
}

/** A type, unless the word is the name of the field, without its quotes. */
function parseFieldType(cursor: Cursor): FieldType | undefined {
  const type = FIELD_TYPES.find((candidate) => cursor.at(candidate))
  const name = cursor.peekSecond()
  if (type === undefined || (name.kind !== 'text' && name.kind !== 'word')) return undefined
  if (cursor.peek().text !== type && name.kind !== 'text') return undefined
  cursor.accept(type)
  return type
}

function parseNestedField(cursor: Cursor): FieldNode {
  const start = cursor.expect('ADD')
  return parseField(cursor, start)
}

function parseFieldSource(cursor: Cursor): FieldSource | undefined {
  const start = cursor.peek()
  if (cursor.accept('FROM')) {
    cursor.expect('TOPIC')
    return parseTopicSource(cursor, start)
  }
  if (!cursor.accept('WITH')) return undefined
  if (cursor.at('TOPIC') && cursor.peekSecond().kind === 'text') {
    cursor.accept('TOPIC')
    return parseTopicSource(cursor, start)
  }
  const token = cursor.peek()
  if (token.text === 'VALUE' && /^(text|number|variable|word)$/.test(cursor.peekSecond().kind)) {
    const span = { start: token.start, end: cursor.peekSecond().start }
    cursor.report.add('LOT2023', 'Unexpected VALUE after WITH', token, { span, replacement: '' })
    cursor.next()
  }
  return { kind: 'value', value: parseValue(cursor), span: cursor.spanFrom(start) }
}

function parseTopicSource(cursor: Cursor, start: Token): FieldSource {
  const filter = parseText(cursor)
  const isTrigger = cursor.accept('AS') !== undefined && cursor.expect('TRIGGER') !== undefined
  return { kind: 'topic', filter, isTrigger, span: cursor.spanFrom(start) }
}

function parseStore(cursor: Cursor, start: Token): StoreNode {
  cursor.expect('IN')
  const route = parseText(cursor)
  const table = parseTable(cursor)
  const when = cursor.accept('WHEN') ? parseCondition(cursor) : undefined
  return { kind: 'store', route, table, when, span: cursor.spanFrom(start) }
}

function parseFetch(cursor: Cursor, start: Token): FetchNode {
  cursor.expect('FROM')
  const route = parseText(cursor)
  const table = parseTable(cursor)
  const when = cursor.accept('WHEN') ? parseCondition(cursor) : undefined
  const limit = cursor.accept('LIMIT') ? parseWhole(cursor) : undefined
  return { kind: 'fetch', route, table, when, limit, span: cursor.spanFrom(start) }
}

function parseTable(cursor: Cursor): TextNode {
  cursor.expectWord('WITH')
  cursor.expect('TABLE')
  return parseText(cursor)
}
