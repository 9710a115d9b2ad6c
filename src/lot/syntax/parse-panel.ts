/** DEFINE PANEL (in old texts VISU) and its components. */
import type { ComponentItem, ComponentNode, PanelNode, TextNode } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseIdentifier, parseOneOf, parseQuotedOrBareName, parseText, parseWhole } from './names.js'
import { parseUnary } from './parse-expression.js'
import { parseStatement } from './parse-statement.js'
import type { Token } from './token.js'

/** Clauses that tools know and nothing describes, with what to write instead. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  AT: 'AT is not supported: components stand in the order of the text, in the columns of WITH LAYOUT',
  INVOKE: 'INVOKE is not supported: let ON CLICK DO publish a message that triggers the action',
  NAVIGATE: 'NAVIGATE is not supported: let ON CLICK DO publish a message that the user interface takes',
  FETCH: 'FETCH is not supported: let an action publish the data, and show it by BIND VALUE TO TOPIC',
  DISPLAY: 'DISPLAY is not supported: show a topic by BIND VALUE TO TOPIC',
}

interface Header {
  title: TextNode | undefined
  layout: PanelNode['layout']
  visibility: PanelNode['visibility']
  groups: TextNode[]
  state: PanelNode['state']
}

/** @param start the DEFINE; the cursor is behind PANEL */
export function parsePanel(cursor: Cursor, start: Token): PanelNode {
  const name = parseQuotedOrBareName(cursor)
  const header: Header = { title: undefined, layout: undefined, visibility: undefined, groups: [], state: undefined }
  const components: ComponentNode[] = []
  if (cursor.hasBlock()) {
    cursor.block(() => {
      while (!cursor.atLineEnd() && !cursor.hasBlock()) {
        if (cursor.accept('WITH')) parseClause(cursor, header)
        else if (cursor.at('ADD')) components.push(parseComponent(cursor))
        else cursor.fail(['WITH', 'ADD'])
      }
    }, 'DEFINE PANEL')
  }
  return { kind: 'panel', name, ...header, components, span: cursor.spanFrom(start) }
}

function parseClause(cursor: Cursor, header: Header): void {
  switch (parseOneOf(cursor, ['TITLE', 'LAYOUT', 'VISIBILITY', 'SHARE', 'STATE'])) {
    case 'TITLE':
      header.title = parseText(cursor)
      return
    case 'LAYOUT': {
      const type = parseText(cursor)
      header.layout = { type, columns: cursor.accept('COLUMNS') ? parseWhole(cursor) : undefined }
      return
    }
    case 'VISIBILITY':
      header.visibility = parseOneOf(cursor, ['SHARED', 'PRIVATE'])
      return
    case 'SHARE':
      cursor.expect('TO')
      cursor.expect('GROUP')
      header.groups.push(parseText(cursor))
      return
    case 'STATE':
      header.state = parseOneOf(cursor, ['DRAFT', 'PUBLISHED', 'ARCHIVED'])
      return
  }
}

function parseComponent(cursor: Cursor): ComponentNode {
  const start = cursor.expect('ADD')
  cursor.expect('COMPONENT')
  const name = parseQuotedOrBareName(cursor)
  cursor.expectWord('WITH')
  cursor.expect('TYPE')
  const type = parseText(cursor)
  const items: ComponentItem[] = []
  if (cursor.hasBlock()) cursor.block(() => parseItems(cursor, items), 'ADD COMPONENT')
  else parseItems(cursor, items)
  return { name, type, items, span: cursor.spanFrom(start) }
}

/** The clauses of one line. */
function parseItems(cursor: Cursor, items: ComponentItem[]): void {
  while (!cursor.atLineEnd() && !cursor.hasBlock()) items.push(parseItem(cursor))
}

function parseItem(cursor: Cursor): ComponentItem {
  const start = cursor.peek()
  if (cursor.accept('SET')) return parseItemSetting(cursor, start)
  if (cursor.accept('BIND')) {
    const target = parseIdentifier(cursor)
    cursor.expect('TO')
    cursor.expect('TOPIC')
    return { kind: 'bind', target, topic: parseText(cursor), span: cursor.spanFrom(start) }
  }
  if (cursor.accept('WITH')) {
    cursor.expect('INTERACT')
    cursor.expect('FOR')
    cursor.expect('GROUP')
    return { kind: 'interact', group: parseText(cursor), span: cursor.spanFrom(start) }
  }
  if (cursor.accept('ON')) return parseOnClick(cursor, start)
  if (Object.hasOwn(UNSUPPORTED, start.text)) return cursor.failWith('LOT2046', UNSUPPORTED[start.text], start)
  return cursor.fail(['SET', 'BIND', 'WITH', 'ON'])
}

function parseItemSetting(cursor: Cursor, start: Token): ComponentItem {
  const word = parseIdentifier(cursor)
  const key = { ...word, text: word.text.toUpperCase() }
  if (key.text === 'RANGE') {
    cursor.expect('FROM')
    const from = parseUnary(cursor)
    cursor.expect('TO')
    return { kind: 'range', from, to: parseUnary(cursor), span: cursor.spanFrom(start) }
  }
  return { kind: 'setting', key, value: parseUnary(cursor), span: cursor.spanFrom(start) }
}

function parseOnClick(cursor: Cursor, start: Token): ComponentItem {
  cursor.expect('CLICK')
  cursor.expectWord('DO', 'LOT2039')
  if (!cursor.hasBlock() && !cursor.atLineEnd()) {
    const span = { start: cursor.previous.end, end: cursor.peek().start }
    const suggestion = { span, replacement: '\n' + ' '.repeat(16) }
    cursor.report.add('LOT2044', 'Expected a line break after ON CLICK DO', cursor.peek(), suggestion)
  }
  const body = cursor.body(() => parseStatement(cursor), 'ON CLICK DO')
  return { kind: 'onClick', body, span: cursor.spanFrom(start) }
}
