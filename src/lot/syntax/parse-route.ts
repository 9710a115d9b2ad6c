/** DEFINE ROUTE: configuration, events, mappings with their tags. What each type of route takes, its connector knows. */
import type { Name, RouteMember, RouteNode, SettingNode, SettingValue, TagNode } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseEntityName, parseIdentifier, parseQuotedOrBareName, parseText, parseWhole } from './names.js'
import { parseTimeUnit } from './parse-action.js'
import { parseValue } from './parse-expression.js'
import { type Token, tokenName } from './token.js'
import { EXPRESSION_WORDS } from './words.js'

/** @param start the DEFINE; the cursor is behind ROUTE */
export function parseRoute(cursor: Cursor, start: Token): RouteNode {
  const name = parseEntityName(cursor)
  const type = parseType(cursor, name)
  const members = cursor.hasBlock() ? cursor.block(() => parseMember(cursor), 'DEFINE ROUTE') : []
  return { kind: 'route', name, type, members, span: cursor.spanFrom(start) }
}

function parseType(cursor: Cursor, name: Name): Name {
  if (!cursor.at('WITH') || cursor.peekSecond().text.toUpperCase() !== 'TYPE') {
    const { end } = cursor.previous
    const message = `Expected WITH TYPE, but found ${tokenName(cursor.peek())}`
    return cursor.failWith('LOT2022', message, name.span, { span: { start: end, end }, replacement: ' WITH TYPE' })
  }
  cursor.expect('WITH')
  cursor.expect('TYPE')
  return upperCase(parseIdentifier(cursor))
}

function upperCase(name: Name): Name {
  return { ...name, text: name.text.toUpperCase() }
}

function parseMember(cursor: Cursor): RouteMember {
  const start = cursor.peek()
  if (cursor.accept('STORE')) return parseStorage(cursor, start)
  cursor.accept('ADD') ?? cursor.fail(['ADD', 'STORE'])
  const word = cursor.peek()
  if (cursor.accept('EVENT')) {
    const name = parseQuotedOrBareName(cursor)
    return { kind: 'event', name, settings: parseSettings(cursor), span: cursor.spanFrom(start) }
  }
  if (cursor.accept('MAPPING')) return parseMapping(cursor, start)
  if (cursor.at('TAG')) return cursor.failWith('LOT2025', 'TAG must be inside MAPPING', word)
  if (cursor.at('METADATA')) {
    return cursor.failWith('LOT2024', 'METADATA is only allowed in templates: delete the block', word)
  }
  if (word.kind !== 'word' || !/_CONFIG$/i.test(word.text)) {
    return cursor.fail(['EVENT', 'MAPPING', 'a name that ends with _CONFIG'])
  }
  const name = upperCase(parseIdentifier(cursor))
  return { kind: 'config', name, settings: parseSettings(cursor), span: cursor.spanFrom(start) }
}

function parseStorage(cursor: Cursor, start: Token): RouteMember {
  const route = parseEntityName(cursor)
  cursor.expectWord('WITH')
  const isTable = cursor.accept('TABLE_NAME') !== undefined
  if (!isTable && !cursor.accept('INDEX_NAME')) return cursor.fail(['TABLE_NAME', 'INDEX_NAME'])
  const name = parseText(cursor)
  const target = isTable ? 'TABLE_NAME' : 'INDEX_NAME'
  return { kind: 'storage', route, target, name, span: cursor.spanFrom(start) }
}

function parseMapping(cursor: Cursor, start: Token): RouteMember {
  const name = parseQuotedOrBareName(cursor)
  const settings: SettingNode[] = []
  const tags: TagNode[] = []
  parseLines(cursor, () => {
    const item = cursor.peek()
    if (cursor.at('WITH')) settings.push(parseSetting(cursor))
    else if (cursor.accept('ADD') && cursor.accept('TAG')) {
      const tag = parseQuotedOrBareName(cursor)
      tags.push({ name: tag, settings: parseSettings(cursor), span: cursor.spanFrom(item) })
    } else cursor.fail(cursor.previous.text === 'ADD' ? ['TAG'] : ['WITH', 'ADD'])
  })
  return { kind: 'mapping', name, settings, tags, span: cursor.spanFrom(start) }
}

function parseSettings(cursor: Cursor): SettingNode[] {
  const settings: SettingNode[] = []
  parseLines(cursor, () => {
    if (!cursor.at('WITH')) cursor.fail(['WITH'])
    settings.push(parseSetting(cursor))
  })
  return settings
}

/** Items on deeper lines, or behind each other on this one. */
function parseLines(cursor: Cursor, item: () => void): void {
  if (cursor.hasBlock()) cursor.block(() => parseItems(cursor, item), 'ADD')
  else parseItems(cursor, item)
}

function parseItems(cursor: Cursor, item: () => void): void {
  while (!cursor.atLineEnd() && !cursor.hasBlock()) item()
}

function parseSetting(cursor: Cursor): SettingNode {
  const start = cursor.expect('WITH')
  const key = upperCase(parseIdentifier(cursor))
  const value = key.text === 'EVERY' ? parseInterval(cursor) : parseSettingValue(cursor)
  return { key, value, span: cursor.spanFrom(start) }
}

function parseInterval(cursor: Cursor): SettingValue {
  const start = cursor.peek()
  const count = parseWhole(cursor)
  return { kind: 'interval', count, unit: parseTimeUnit(cursor), span: cursor.spanFrom(start) }
}

function parseSettingValue(cursor: Cursor): SettingValue {
  const start = cursor.peek()
  const isWord = start.kind === 'word' && !EXPRESSION_WORDS.has(start.text) && !/^(true|false|get)$/i.test(start.text)
  if ((isWord && start.text !== 'WITH') || (start.kind === 'number' && touchesNext(cursor))) {
    cursor.next()
    while (touches(cursor)) cursor.next()
    const span = cursor.spanFrom(start)
    const word = cursor.source.text.slice(span.start, span.end)
    return word === 'SELF' ? { kind: 'self', span } : { kind: 'word', word, span }
  }
  return { kind: 'expression', value: parseValue(cursor), span: cursor.spanFrom(start) }
}

/** `192.168.0.7` is one word. */
function touchesNext(cursor: Cursor): boolean {
  const next = cursor.peekSecond()
  return next.start === cursor.peek().end && next.kind !== 'end'
}

function touches(cursor: Cursor): boolean {
  const token = cursor.peek()
  const isPart = token.kind === 'word' || token.kind === 'number' || token.kind === 'symbol'
  return isPart && token.start === cursor.previous.end
}
