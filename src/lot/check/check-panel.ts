/** Panels and themes. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Report } from '../syntax/report.js'
import type { ComponentNode, PanelNode, TextNode, ThemeNode } from '../tree.js'
import { checkBody } from './check-statement.js'
import { constantOf } from './constants.js'
import { ANY_OCCASION } from './occasion.js'
import { filterProblem } from './topics.js'
import type { CheckWorld } from './world.js'

export const COMPONENT_TYPES: readonly string[] = [
  'text',
  'value',
  'gauge',
  'chart',
  'table',
  'indicator',
  'button',
  'switch',
  'slider',
  'input',
  'select',
  'image',
  'heading',
]
export const COMPONENT_SETTINGS: readonly string[] = [
  'LABEL',
  'UNIT',
  'STYLE',
  'MIN',
  'MAX',
  'STEP',
  'FORMAT',
  'COLOR',
  'ICON',
  'SIZE',
  'DECIMALS',
  'PLACEHOLDER',
  'OPTIONS',
  'VARIANT',
  'HEIGHT',
  'WIDTH',
  'DEFAULT',
  'TEXT',
  'VALUE',
  'TITLE',
]
export const THEME_KEYS: readonly string[] = [
  'PRIMARY',
  'SECONDARY',
  'SUCCESS',
  'WARNING',
  'CRITICAL',
  'INFO',
  'BACKGROUND',
  'FOREGROUND',
  'CARD',
  'BORDER',
  'MUTED',
]

export function checkPanel(panel: PanelNode, world: CheckWorld, report: Report): void {
  if (panel.visibility === 'PRIVATE' && panel.groups.length > 0) {
    report.add('LOT3402', 'A PRIVATE panel cannot be shared: VISIBILITY SHARED, or no SHARE TO', panel.groups[0].span)
  }
  const names = new Set<string>()
  for (const component of panel.components) {
    const { text, span } = component.name
    if (names.has(text)) report.add('LOT3405', `The component "${text}" stands twice`, span)
    names.add(text)
    checkComponent(component, world, report)
  }
}

function checkComponent({ type, items }: ComponentNode, world: CheckWorld, report: Report): void {
  if (!COMPONENT_TYPES.includes(type.value)) {
    const nearest = nearestSpelling(type.value, COMPONENT_TYPES)
    const message = `Unknown component type "${type.value}": one of ${COMPONENT_TYPES.join(', ')}`
    report.add('LOT3401', message, type.span, nearest && `"${nearest}"`)
  }
  for (const item of items) {
    switch (item.kind) {
      case 'setting':
        if (!COMPONENT_SETTINGS.includes(item.key.text)) {
          const nearest = nearestSpelling(item.key.text, COMPONENT_SETTINGS)
          report.add('LOT3406', `Components have no setting ${item.key.text}`, item.key.span, nearest)
        } else if (item.key.text === 'COLOR' && item.value.kind === 'text' && item.value.value.startsWith('#')) {
          checkColor(item.value, report)
        }
        break
      case 'range': {
        const from = constantOf(item.from)?.value
        const to = constantOf(item.to)?.value
        if (typeof from !== 'number' || typeof to !== 'number' || from < to) break
        report.add('LOT3407', `The range from ${from} to ${to} is empty`, item.span)
        break
      }
      case 'bind':
        checkFilter(item.topic, report)
        break
      case 'interact':
        break
      case 'onClick':
        checkBody(item.body, {
          report,
          world,
          occasion: ANY_OCCASION,
          variables: undefined,
          action: undefined,
          ownFilter: undefined,
        })
    }
  }
}

function checkFilter(filter: TextNode, report: Report): void {
  const problem = filterProblem(filter.value)
  if (problem !== undefined) report.add('LOT3012', `The topic filter is not valid: ${problem}`, filter.span)
}

export function checkTheme(theme: ThemeNode, report: Report): void {
  for (const { key, value } of theme.colors) {
    if (!THEME_KEYS.includes(key.text)) {
      const nearest = nearestSpelling(key.text, THEME_KEYS)
      const message = `Themes have no color ${key.text}: one of ${THEME_KEYS.join(', ')}`
      report.add('LOT3403', message, key.span, nearest && `"${nearest}"`)
    }
    checkColor(value, report)
  }
}

const COLOR = /^#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i

function checkColor({ value, span }: TextNode, report: Report): void {
  if (!COLOR.test(value)) report.add('LOT3404', `"${value}" is no color: write "#rrggbb"`, span)
}
