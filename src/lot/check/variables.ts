/** Names of an action: what gives a variable its value, and whether a name that is read has one. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Span } from '../source.js'
import type { Report } from '../syntax/report.js'
import type { Statement } from '../tree.js'
import { assignedBy, everyStatement } from './walk.js'

export class Variables {
  /** Everything that has a value at some place of the action. */
  readonly #names: Set<string>
  /** What may have a value where the check is now. A branch that gives one is enough. */
  readonly #set: Set<string>
  readonly #unknown = new Set<string>()

  constructor(
    inputs: readonly string[],
    body: readonly Statement[],
    readonly report: Report,
  ) {
    this.#set = new Set(inputs)
    this.#names = new Set([...inputs, ...assignedIn(body)])
  }

  /** From here on the names have values. */
  assign(names: Iterable<string>): void {
    for (const name of names) this.#set.add(name)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  read(name: string, span: Span, written: (name: string) => string): void {
    if (this.#set.has(name) || this.#unknown.has(name)) return
    if (this.#names.has(name)) {
      this.report.add('LOT4001', `The variable {${name}} is read before it is set`, span)
      this.#set.add(name)
      return
    }
    const nearest = nearestSpelling(name, this.#names)
    const hint = nearest === undefined ? `: nothing sets it` : ''
    this.report.add('LOT3001', `Unknown variable {${name}}${hint}`, span, nearest && written(nearest))
    // one report is enough where there is nothing to suggest
    if (nearest === undefined) this.#unknown.add(name)
  }
}

export function assignedIn(body: readonly Statement[]): Set<string> {
  const names = new Set<string>()
  for (const statement of everyStatement(body)) for (const name of assignedBy(statement)) names.add(name)
  return names
}
