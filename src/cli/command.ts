/** Commands as data, so that parser, help and documentation tell the same. */
import type { Readable, Writable } from 'node:stream'
import type { ExitCode } from './exit.js'

interface OptionBase {
  /** `-t, --topic <name>`, or `--no-clean`, which is asked for as `isOff('clean')`. */
  readonly flags: string
  readonly doc: string
}
export type OptionDefinition = OptionBase &
  (
    | { readonly kind: 'flag' }
    | { readonly kind: 'text'; readonly repeatable?: true }
    | { readonly kind: 'integer'; readonly min: number; readonly max: number }
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
  )

export interface CommandContext {
  readonly stdin: Readable
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
}

export interface CommandDefinition {
  /** One word, or a group's name and one. */
  readonly name: string
  readonly summary: string
  /** What must follow the name, or may; asked for as `text(name)`, many as `texts(name)`. */
  readonly argument?: { readonly name: string; readonly doc: string; readonly count?: 'optional' | 'many' }
  readonly options: readonly OptionDefinition[]
  readonly examples: readonly string[]
  /** Whether `-h` is an option of the command's own; help is then `--help` only. */
  readonly ownsH?: true
  /** The arguments of the program, so that what only looks like an option is none. */
  arrange?(args: readonly string[]): readonly string[]
  /** What to do where there are more words than it takes. @param args of the program */
  excessRemedy?(args: readonly string[]): string
  run(values: OptionValues, context: CommandContext): Promise<ExitCode>
}

/** What the user gave for the options of a command, by their long names in camel case (`clientId`). */
export class OptionValues {
  constructor(private readonly given: Readonly<Record<string, unknown>>) {}

  text(name: string): string | undefined {
    const value = this.given[name]
    return typeof value === 'string' ? value : undefined
  }

  texts(name: string): readonly string[] {
    const value = this.given[name]
    return Array.isArray(value) ? (value as readonly string[]) : []
  }

  integer(name: string): number | undefined {
    const value = this.given[name]
    return typeof value === 'number' ? value : undefined
  }

  flag(name: string): boolean {
    return this.given[name] === true
  }

  /** Whether `--no-NAME` was given. */
  isOff(name: string): boolean {
    return this.given[name] === false
  }

  has(name: string): boolean {
    return this.given[name] !== undefined
  }
}
