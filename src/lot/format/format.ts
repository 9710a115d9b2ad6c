/**
 * One layout for all texts: four spaces for a level, a statement a line, keywords in upper case, an empty line between
 * entities. What a text means is left alone: strings, parentheses and the spelling of operators stay as written.
 */
import { unreachable } from '../../base/errors.js'
import type { Source } from '../source.js'
import type { Entity, Program } from '../tree.js'
import { assemble } from './assemble.js'
import { Sheet } from './sheet.js'
import { writeAction } from './write-action.js'
import { writeModel } from './write-model.js'
import { writePanel, writeTheme } from './write-panel.js'
import { writeRoute } from './write-route.js'
import { writeRule } from './write-rule.js'

/**
 * @param program of `source`, which the parser has read without errors: what it could not read would be lost
 * @returns with a line end at its end; empty for an empty program
 */
export function formatProgram(source: Source, program: Program): string {
  const sheet = new Sheet(source, program.comments)
  for (const entity of program.entities) writeEntity(sheet, entity)
  return assemble(sheet)
}

function writeEntity(sheet: Sheet, entity: Entity): void {
  switch (entity.kind) {
    case 'action':
      writeAction(sheet, entity)
      return
    case 'model':
      writeModel(sheet, entity)
      return
    case 'route':
      writeRoute(sheet, entity)
      return
    case 'rule':
      writeRule(sheet, entity)
      return
    case 'panel':
      writePanel(sheet, entity)
      return
    case 'theme':
      writeTheme(sheet, entity)
      return
    default:
      unreachable(entity)
  }
}
