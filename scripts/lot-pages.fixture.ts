/** For tests: LoT in pages of documentation, and what the pages say that it does. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../src/base/version.js'

/** `run` is played against its messages, `check` has no errors, `wrong` has the diagnostics whose codes follow. */
export type BlockPurpose = 'run' | 'check' | 'wrong'

export interface LotExample {
  readonly page: string
  /** Of the first line of the text, from 1. */
  readonly line: number
  readonly purpose: BlockPurpose
  /** Of `wrong`. */
  readonly codes: readonly string[]
  readonly lot: string
  /** Scripts between the example before and this one. */
  readonly scripts: readonly string[]
  readonly steps: readonly Step[]
}

/** Something that happens, and what comes of it. */
export interface Step {
  /** undefined for the deployment. */
  readonly input: StepInput | undefined
  readonly line: number
  /** Lines that begin with `<` or `!`, without order. */
  readonly expected: readonly string[]
}

export type StepInput =
  /** `> topic payload` */
  | { readonly kind: 'message'; readonly topic: string; readonly payload: string }
  /** `~ 10 seconds later` */
  | { readonly kind: 'later'; readonly ms: number }
  /** `~ 2026-03-05 14:00` (UTC) */
  | { readonly kind: 'at'; readonly atMs: number }
  /** `~ pump-7 connects`, `~ pump-7 disconnects`, `~ pump-7 subscribes to plant/#` */
  | { readonly kind: 'session'; readonly clientId: string; readonly hook: SessionHook; readonly filter: string }
  /** `~ -runAction Name {"input": 1}` */
  | { readonly kind: 'runAction'; readonly name: string; readonly inputs: Readonly<Record<string, unknown>> }

export type SessionHook = 'connect' | 'disconnect' | 'subscribe'

const FENCE = /^```(\w+)(?: (run|check|wrong|messages)((?: LOT\d+)*))?\n([\s\S]*?)^```$/gm

/** All pages about LoT, by their paths within the package. */
export function lotPages(): string[] {
  const root = packageFolder()
  const files = readdirSync(join(root, 'docs', 'lot'), { recursive: true, encoding: 'utf8' })
  return ['README.md', ...files.map((file) => join('docs', 'lot', file))].filter((file) => file.endsWith('.md')).sort()
}

/** @throws Error where the marks of blocks make no sense */
export function lotExamples(page: string): LotExample[] {
  const text = readFileSync(join(packageFolder(), page), 'utf8')
  const examples: LotExample[] = []
  let scripts: string[] = []
  for (const match of text.matchAll(FENCE)) {
    const [, language, purpose, codes = '', content = ''] = match
    const line = text.slice(0, match.index).split('\n').length + 1
    if (language === 'python' && purpose === 'run') scripts.push(content)
    else if (language === 'lot') {
      if (purpose === undefined) throw new Error(`${page}:${line} is neither run, check nor wrong`)
      const base = { page, line, purpose: purpose as BlockPurpose, lot: content, scripts, steps: [] }
      examples.push({ ...base, codes: codes.split(' ').filter((code) => code !== '') })
      scripts = []
    } else if (purpose === 'messages') {
      const example = examples.pop()
      if (example?.purpose !== 'run' || example.steps.length > 0) throw new Error(`${page}:${line} has no example`)
      examples.push({ ...example, steps: stepsOf(page, line, content) })
    }
  }
  return examples
}

function stepsOf(page: string, line: number, content: string): Step[] {
  const steps: (Step & { readonly expected: string[] })[] = [{ input: undefined, line, expected: [] }]
  content
    .trimEnd()
    .split('\n')
    .forEach((text, index) => {
      const here = line + index
      if (text.startsWith('< ') || text.startsWith('! ')) steps.at(-1)?.expected.push(text)
      else steps.push({ input: inputOf(text, `${page}:${here}`), line: here, expected: [] })
    })
  return steps
}

const UNIT_MS: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

function inputOf(text: string, place: string): StepInput {
  const message = /^> (\S+)(?: (.*))?$/.exec(text)
  if (message !== null) return { kind: 'message', topic: message[1], payload: message[2] ?? '' }
  const later = /^~ (\d+) (second|minute|hour|day)s? later$/.exec(text)
  if (later !== null) return { kind: 'later', ms: Number(later[1]) * UNIT_MS[later[2]] }
  const at = /^~ (\d{4}-\d\d-\d\d) (\d\d:\d\d)$/.exec(text)
  if (at !== null) return { kind: 'at', atMs: Date.parse(`${at[1]}T${at[2]}:00Z`) }
  const session = /^~ (\S+) (connect|disconnect|subscribe)s(?: to (\S+))?$/.exec(text)
  if (session !== null) {
    return { kind: 'session', clientId: session[1], hook: session[2] as SessionHook, filter: session[3] ?? '' }
  }
  const run = /^~ -runAction (\w+)(?: (\{.*\}))?$/.exec(text)
  if (run === null) throw new Error(`${place}: "${text}" is no line of an example`)
  return { kind: 'runAction', name: run[1], inputs: JSON.parse(run[2] ?? '{}') as Readonly<Record<string, unknown>> }
}

/** Whether a line of an example stands for what happened; `…` in it is any text. */
export function isLike(expected: string, actual: string): boolean {
  const pattern = expected
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`, 's').test(actual)
}
