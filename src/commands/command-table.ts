/** All commands by their keys. */
import { nearestSpelling } from '../base/spelling.js'
import { ACCESS_COMMANDS } from './access-command.js'
import { ACTION_COMMANDS } from './action-commands.js'
import { AUDIT_COMMANDS } from './audit-commands.js'
import { BAN_COMMANDS } from './ban-commands.js'
import type { Command } from './command.js'
import { commandKey } from './command-line.js'
import { ENTITY_COMMANDS } from './entity-commands.js'
import { failure, type Reply } from './envelope.js'
import { ENVIRONMENT_COMMANDS } from './environment-commands.js'
import { OTHER_COMMANDS } from './other-commands.js'
import { PANEL_COMMANDS } from './panel-commands.js'
import { PROJECT_COMMANDS } from './project-commands.js'
import { PYTHON_COMMANDS } from './python-commands.js'
import { ROUTE_COMMANDS, RULE_COMMANDS } from './rule-commands.js'
import { USER_COMMANDS } from './user-commands.js'

export const COMMAND_TABLE: ReadonlyMap<string, Command> = new Map(
  [
    ...ENTITY_COMMANDS,
    ...ACTION_COMMANDS,
    ...RULE_COMMANDS,
    ...ROUTE_COMMANDS,
    ...PYTHON_COMMANDS,
    ...PANEL_COMMANDS,
    ...PROJECT_COMMANDS,
    ...ENVIRONMENT_COMMANDS,
    ...USER_COMMANDS,
    ...BAN_COMMANDS,
    ...AUDIT_COMMANDS,
    ...ACCESS_COMMANDS,
    ...OTHER_COMMANDS,
  ].map((command) => [commandKey(command.name), command]),
)

/** As a client writes it: `-addModel`. */
export function writtenName({ name }: Command): string {
  return `-${name[0].toLowerCase()}${name.slice(1)}`
}

/** @param written with its dashes, if it has any */
export function unknownCommand(written: string): Reply {
  const near = nearestSpelling(written, [...COMMAND_TABLE.values()].map(writtenName))
  // programs of old brokers look at how it begins
  const message = `Unknown command: ${written}${near === undefined ? '' : ` (did you mean ${near}?)`}`
  return failure(message, { errors: [{ message, suggestions: near === undefined ? [] : [near] }] })
}
