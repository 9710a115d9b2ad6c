/** What clients find of an entity below `$SYS/Coreflux`. */
import type { ActionNode, ComponentItem, ComponentNode, Expression, PanelNode, ThemeNode } from '../lot/tree.js'
import { type Entry, KIND_TITLES } from './entry.js'

export const SYS_PREFIX = '$SYS/Coreflux/'

export const SOURCE_FOLDERS = { model: 'Models', action: 'Actions', route: 'Routes', rule: 'Rules' } as const

/** Topics below the prefix with their texts. */
export function snapshotsOf(entry: Entry): readonly (readonly [topic: string, text: string])[] {
  const { kind, name, source } = entry
  switch (kind) {
    case 'model':
    case 'route':
    case 'rule':
      return [[`${SOURCE_FOLDERS[kind]}/${name}`, source]]
    case 'action': {
      const description = (entry.node as ActionNode).description?.value
      const text = [`Actions/${name}`, source] as const
      return description === undefined ? [text] : [text, [`Actions/${name}/Description`, description]]
    }
    case 'panel': {
      const text = JSON.stringify(panelView(entry.node as PanelNode, source))
      return [
        [`VoT/Panels/${name}`, text],
        [`Visus/${name}`, text],
      ]
    }
    case 'theme':
      return [[`VoT/Themes/${name}`, JSON.stringify(themeView(entry.node as ThemeNode, source))]]
    case 'python':
      return []
  }
}

/** Payload of `Python/Scripts`, with the keys that clients know. */
export function scriptsText(entries: Iterable<Entry>): string {
  const scripts: { ScriptName: string; Code: string; Functions: readonly string[] }[] = []
  for (const entry of entries) {
    if (entry.kind !== 'python') continue
    scripts.push({ ScriptName: entry.name, Code: entry.source, Functions: entry.functions })
  }
  return JSON.stringify(scripts)
}

/** `Model 'Tank'` */
export function entryTitle({ kind, name }: Pick<Entry, 'kind' | 'name'>): string {
  return `${KIND_TITLES[kind]} '${name}'`
}

export function panelState(node: PanelNode): NonNullable<PanelNode['state']> {
  return node.state ?? 'DRAFT'
}

function panelView(node: PanelNode, source: string): object {
  return {
    name: node.name.text,
    title: node.title?.value ?? node.name.text,
    state: panelState(node),
    visibility: node.visibility ?? 'SHARED',
    groups: node.groups.map((group) => group.value),
    layout: node.layout === undefined ? null : { type: node.layout.type.value, columns: node.layout.columns ?? null },
    components: node.components.map((component) => componentView(component, source)),
    source,
  }
}

function componentView({ name, type, items }: ComponentNode, source: string): object {
  const settings: Record<string, unknown> = {}
  const bindings: Record<string, string> = {}
  const groups: string[] = []
  let click: string | null = null
  const take = (item: ComponentItem): void => {
    switch (item.kind) {
      case 'setting':
        settings[item.key.text.toLowerCase()] = literalOf(item.value, source)
        break
      case 'range':
        settings.range = { from: literalOf(item.from, source), to: literalOf(item.to, source) }
        break
      case 'bind':
        bindings[item.target.text.toLowerCase()] = item.topic.value
        break
      case 'interact':
        groups.push(item.group.value)
        break
      case 'onClick':
        click = textOf(item.span, source)
        break
    }
  }
  items.forEach(take)
  return { name: name.text, type: type.value, settings, bindings, interact: groups, onClick: click }
}

/** Values of literals; other expressions as they are written. */
function literalOf(value: Expression, source: string): unknown {
  switch (value.kind) {
    case 'text':
    case 'number':
    case 'boolean':
      return value.value
    case 'negate':
      return value.operand.kind === 'number' ? -value.operand.value : textOf(value.span, source)
    case 'array':
      return value.items.map((item) => literalOf(item, source))
    default:
      return textOf(value.span, source)
  }
}

/** Spans count in the text as the parser reads it. */
function textOf({ start, end }: { readonly start: number; readonly end: number }, source: string): string {
  return source
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .slice(start, end)
}

function themeView(node: ThemeNode, source: string): object {
  const colors = Object.fromEntries(node.colors.map(({ key, value }) => [key.text, value.value]))
  return { name: node.name.text, colors, source }
}
