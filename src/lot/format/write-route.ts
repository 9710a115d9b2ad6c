/** Routes as lines. */
import { unreachable } from '../../base/errors.js'
import type { RouteMember, RouteNode, SettingNode } from '../tree.js'
import { nameText, type Piece, piecesOf } from './pieces.js'
import type { Sheet } from './sheet.js'
import { intervalText } from './write-action.js'

export function writeRoute(sheet: Sheet, { name, type, members, span }: RouteNode): void {
  const header = `DEFINE ROUTE ${nameText(name)} WITH TYPE ${nameText(type)}`
  sheet.add(0, [header], { start: span.start, end: type.span.end }, 'define')
  for (const member of members) writeMember(sheet, member)
}

function writeMember(sheet: Sheet, member: RouteMember): void {
  const { start } = member.span
  switch (member.kind) {
    case 'storage': {
      const text = `STORE ${nameText(member.route)} WITH ${member.target} ${member.name.written}`
      sheet.add(1, [text], member.span, 'item')
      return
    }
    case 'config':
      sheet.add(1, [`ADD ${nameText(member.name)}`], { start, end: member.name.span.end }, 'item')
      break
    case 'event':
      sheet.add(1, [`ADD EVENT ${nameText(member.name)}`], { start, end: member.name.span.end }, 'item')
      break
    case 'mapping':
      sheet.add(1, [`ADD MAPPING ${nameText(member.name)}`], { start, end: member.name.span.end }, 'item')
      break
    default:
      unreachable(member)
  }
  writeSettings(sheet, member.settings, 2)
  if (member.kind !== 'mapping') return
  for (const { name, settings, span } of member.tags) {
    sheet.add(2, [`ADD TAG ${nameText(name)}`], { start: span.start, end: name.span.end }, 'item')
    writeSettings(sheet, settings, 3)
  }
}

function writeSettings(sheet: Sheet, settings: readonly SettingNode[], level: number): void {
  for (const setting of settings) {
    sheet.add(level, [`WITH ${nameText(setting.key)} `, ...valuePieces(setting)], setting.span, 'item')
  }
}

function valuePieces({ value }: SettingNode): readonly Piece[] {
  switch (value.kind) {
    case 'self':
      return ['SELF']
    case 'word':
      return [value.word]
    case 'interval':
      return [intervalText(value)]
    case 'expression':
      return piecesOf(value.value)
    default:
      return unreachable(value)
  }
}
