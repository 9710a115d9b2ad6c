/** Commands of rules, besides adding and removing. */
import type { Command } from './command.js'
import { failure, success } from './envelope.js'
import { restoreSeeds, ruleSummaries } from './rules.js'

export const RULE_COMMANDS: readonly Command[] = [
  {
    name: 'RestoreRules',
    scope: 'SystemConfiguration',
    change(draft) {
      const restored = restoreSeeds(draft)
      return success('Rules restored successfully.', { data: { restored } })
    },
  },
  {
    name: 'ListRules',
    scope: 'none',
    answer(_line, { library }) {
      const data = ruleSummaries(library.entities.values())
      return success(`${data.length} rules.`, { data })
    },
  },
]

const NO_ROUTES = 'This version keeps routes and does not run them.'

/** Routes are parsed, checked, kept and shown. */
export const ROUTE_COMMANDS: readonly Command[] = [
  {
    name: 'ListRoutes',
    scope: 'none',
    answer(_line, { library }) {
      const data: { name: string; type: string; connection: string; health: string }[] = []
      for (const { kind, name, ...entry } of library.entities.values()) {
        if (kind !== 'route' || !('node' in entry) || entry.node.kind !== 'route') continue
        data.push({ name, type: entry.node.type.text, connection: 'Disconnected', health: 'Red' })
      }
      if (data.length === 0) return success('No routes registered.', { data })
      return success(`${data.length} routes. ${NO_ROUTES}`, { data, warnings: [NO_ROUTES] })
    },
  },
  {
    name: 'CheckRouteConnection',
    scope: 'none',
    answer({ rest }, { library }) {
      const name = rest.trim()
      if (!library.entities.has(`route/${name}`)) return failure(`Route '${name}' not found.`)
      const data = { name, reachable: false, latencyMs: null, error: NO_ROUTES }
      return failure(`Route '${name}' is not reachable. ${NO_ROUTES}`, { data })
    },
  },
  { name: 'ConnectionStatus', scope: 'none', answer: () => success('No active connections found.') },
  { name: 'ListTemplates', scope: 'none', answer: () => success('No templates.', { data: [] }) },
  {
    name: 'RouteCode',
    scope: 'none',
    answer: ({ rest }) => failure(`There is no template for routes of type '${rest.trim()}'`),
  },
  { name: 'DiscoverAIProviders', scope: 'none', answer: () => failure(NO_ROUTES, { data: [] }) },
  { name: 'RouteCertificates', scope: 'SystemConfiguration', answer: () => failure(NO_ROUTES) },
]
