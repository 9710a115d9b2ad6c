/** Panels and themes as lines. */
import { unreachable } from '../../base/errors.js'
import type { ComponentItem, PanelNode, ThemeNode } from '../tree.js'
import { nameText, piecesOf } from './pieces.js'
import type { Sheet } from './sheet.js'
import { writeBody } from './write-statement.js'

/** The clauses of the header first, in one order. */
export function writePanel(sheet: Sheet, panel: PanelNode): void {
  const { name, title, layout, visibility, groups, state, components, span } = panel
  sheet.add(0, [`DEFINE PANEL ${nameText(name)}`], { start: span.start, end: name.span.end }, 'define')
  if (title !== undefined) sheet.add(1, [`WITH TITLE ${title.written}`], title.span, 'item')
  if (layout !== undefined) {
    const columns = layout.columns === undefined ? '' : ` COLUMNS ${layout.columns}`
    sheet.add(1, [`WITH LAYOUT ${layout.type.written}${columns}`], layout.type.span, 'item')
  }
  if (visibility !== undefined) writeClause(sheet, panel, 'VISIBILITY', visibility)
  for (const group of groups) sheet.add(1, [`WITH SHARE TO GROUP ${group.written}`], group.span, 'item')
  if (state !== undefined) writeClause(sheet, panel, 'STATE', state)
  for (const component of components) {
    const header = `ADD COMPONENT ${nameText(component.name)} WITH TYPE ${component.type.written}`
    sheet.add(1, [header], { start: component.span.start, end: component.type.span.end }, 'item')
    for (const item of component.items) writeItem(sheet, item)
  }
}

function writeClause(sheet: Sheet, { name, span }: PanelNode, key: string, word: string): void {
  const start = sheet.find(`${key}\\s+${word}`, name.span.end, span.end)
  sheet.add(1, [`WITH ${key} ${word}`], { start, end: start + 1 }, 'item')
}

function writeItem(sheet: Sheet, item: ComponentItem): void {
  const { span } = item
  switch (item.kind) {
    case 'setting':
      sheet.add(2, [`SET ${nameText(item.key)} `, ...piecesOf(item.value)], span, 'item')
      return
    case 'range':
      sheet.add(2, ['SET RANGE FROM ', ...piecesOf(item.from), ' TO ', ...piecesOf(item.to)], span, 'item')
      return
    case 'bind':
      sheet.add(2, [`BIND ${nameText(item.target)} TO TOPIC ${item.topic.written}`], span, 'item')
      return
    case 'interact':
      sheet.add(2, [`WITH INTERACT FOR GROUP ${item.group.written}`], span, 'item')
      return
    case 'onClick':
      sheet.add(2, ['ON CLICK DO'], { start: span.start, end: span.start + 1 }, 'item')
      writeBody(sheet, item.body, 3)
      return
    default:
      unreachable(item)
  }
}

export function writeTheme(sheet: Sheet, { name, colors, span }: ThemeNode): void {
  sheet.add(0, [`DEFINE THEME ${nameText(name)}`], { start: span.start, end: name.span.end }, 'define')
  for (const { key, value, span } of colors) {
    sheet.add(1, [`SET ${nameText(key)} WITH ${value.written}`], span, 'item')
  }
}
