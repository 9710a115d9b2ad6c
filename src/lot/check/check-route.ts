/** Routes: types, blocks, events, mappings and tags. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Report } from '../syntax/report.js'
import type { Name, RouteMember, RouteNode, SettingNode, TagNode } from '../tree.js'
import { checkSettings } from './check-setting.js'
import {
  COMMON_BLOCKS,
  EVENT_KEYS,
  MAPPING_KEYS,
  OPEN_TYPES,
  ROUTE_TYPES,
  type RouteBlock,
  TAG_KEYS,
} from './route-types.js'

export function checkRoute(route: RouteNode, report: Report): void {
  const type = Object.hasOwn(ROUTE_TYPES, route.type.text) ? ROUTE_TYPES[route.type.text] : undefined
  if (type === undefined) {
    const nearest = nearestSpelling(route.type.text, Object.keys(ROUTE_TYPES))
    report.add('LOT3301', `Unknown route type ${route.type.text}`, route.type.span, nearest)
    return
  }
  checkNames(route.members, report)
  for (const member of route.members) checkMember(member, route, type.blocks, report)
  for (const block of type.blocks) checkRequired(block, route, report)
}

/** Events are called by their names, and so are mappings. */
function checkNames(members: readonly RouteMember[], report: Report): void {
  const seen = new Set<string>()
  for (const member of members) {
    if (member.kind === 'storage') continue
    checkOnce(`${member.kind}/${member.name.text}`, member.name, seen, report)
    if (member.kind !== 'mapping') continue
    const tags = new Set<string>()
    for (const { name } of member.tags) checkOnce(name.text, name, tags, report)
  }
}

function checkOnce(key: string, name: Name, seen: Set<string>, report: Report): void {
  if (seen.has(key)) report.add('LOT3305', `${name.text} stands twice`, name.span)
  seen.add(key)
}

function checkMember(member: RouteMember, { type }: RouteNode, blocks: readonly RouteBlock[], report: Report): void {
  const isOpen = OPEN_TYPES.has(type.text)
  switch (member.kind) {
    case 'config': {
      const { text, span } = member.name
      const known = [...blocks, ...COMMON_BLOCKS]
      const block = known.find(({ names }) => names.includes(text))
      if (block !== undefined) {
        checkSettings(member.settings, block.keys, text, type.text, report)
        return
      }
      const names = blocks.map((candidate) => candidate.names[0])
      const suggestion = names.length === 1 ? names[0] : nearestSpelling(text, names)
      report.add('LOT3302', `Block ${text} does not fit route type ${type.text}`, span, suggestion)
      return
    }
    case 'event':
      checkSettings(member.settings, isOpen ? undefined : EVENT_KEYS, 'an event', type.text, report)
      return
    case 'mapping':
      checkSettings(member.settings, isOpen ? undefined : MAPPING_KEYS, 'a mapping', type.text, report)
      for (const tag of member.tags) checkTag(tag, type.text, isOpen, report)
      return
    case 'storage':
  }
}

function checkTag({ name, settings }: TagNode, type: string, isOpen: boolean, report: Report): void {
  checkSettings(settings, isOpen ? undefined : TAG_KEYS, 'a tag', type, report)
  const missing = ['ADDRESS', 'DATA_TYPE'].filter((key) => !has(settings, key))
  if (missing.length > 0) report.add('LOT3304', `The tag ${name.text} has no ${missing.join(' and no ')}`, name.span)
}

function checkRequired(block: RouteBlock, route: RouteNode, report: Report): void {
  if (block.required.length === 0) return
  const configs = route.members.filter((member) => member.kind === 'config')
  const config = configs.find(({ name }) => block.names.includes(name.text))
  if (config === undefined) {
    const message = `A route of type ${route.type.text} needs ADD ${block.names[0]}`
    report.add('LOT3303', message, route.name.span)
    return
  }
  if (block.instead !== undefined && has(config.settings, block.instead)) return
  const missing = block.required.filter((row) => !row.some((key) => has(config.settings, key)))
  if (missing.length === 0) return
  const names = missing.map((row) => row.join(' or '))
  report.add('LOT3303', `${config.name.text} needs ${names.join(', ')}`, config.name.span)
}

function has(settings: readonly SettingNode[], key: string): boolean {
  return settings.some((setting) => setting.key.text === key)
}
