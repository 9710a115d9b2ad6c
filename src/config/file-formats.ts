/** YAML, JSON and TOML to plain values and the places of their keys. The only importer of the parsers for files. */
import { createRequire } from 'node:module'
import type { Document, LineCounter, YAMLError } from 'yaml'
import { messageOf } from '../base/errors.js'
import { jsonProblem } from './json-syntax.js'
import { tomlPositions } from './toml-positions.js'

// loaded when there is a file of the kind: together they are a tenth of a start
const require = createRequire(import.meta.url)
const yamlLibrary = (): typeof import('yaml') => require('yaml') as typeof import('yaml')
const tomlLibrary = (): typeof import('smol-toml') => require('smol-toml') as typeof import('smol-toml')

/** A place in a file; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface ParsedFile {
  readonly value: unknown
  /** By printed path (`listeners.0.port`); the place of the key or of the list item. */
  readonly positions: ReadonlyMap<string, Position>
}

interface SyntaxProblem {
  readonly message: string
  readonly position: Position | undefined
}

/** What the parsers throw: one or more problems with their places. */
export class FileSyntaxError extends Error {
  constructor(
    readonly problems: readonly SyntaxProblem[],
    options?: ErrorOptions,
  ) {
    super(problems.map((problem) => problem.message).join('; '), options)
  }
}

/** @throws FileSyntaxError */
export function parseYaml(text: string): ParsedFile {
  const { LineCounter, parseAllDocuments } = yamlLibrary()
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  if (!Array.isArray(documents) || documents.length === 0) return { value: undefined, positions: new Map() }
  const [document, second] = documents
  const problems = [...document!.errors, ...document!.warnings].map((error) => yamlProblem(error, lines))
  if (second !== undefined) {
    const position = positionAt(lines, second.range[0])
    problems.push({ message: 'a configuration is one YAML document; a second one begins here', position })
  }
  if (problems.length > 0) throw new FileSyntaxError(problems)
  try {
    return { value: document!.toJS(), positions: yamlPositions(document!, lines) }
  } catch (error) {
    // An alias without an anchor or one that grows without bound is found only here.
    throw new FileSyntaxError([{ message: messageOf(error), position: undefined }], { cause: error })
  }
}

/** A value by itself, as in a variable. @throws Error for what is not YAML */
export function parseYamlValue(text: string): unknown {
  return yamlLibrary().parse(text)
}

/** @throws FileSyntaxError */
export function parseJson(text: string): ParsedFile {
  const { LineCounter, parseAllDocuments } = yamlLibrary()
  const lines = new LineCounter()
  const wrong = jsonProblem(text)
  if (wrong !== undefined) {
    throw new FileSyntaxError([{ message: wrong.message, position: positionOf(text, wrong.offset) }])
  }
  // JSON is YAML too, which gives places and finds keys that occur twice.
  const document = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })[0]
  const problems = (document?.errors ?? []).map((error) => yamlProblem(error, lines))
  if (problems.length > 0) throw new FileSyntaxError(problems)
  const positions = document === undefined ? new Map() : yamlPositions(document as Document, lines)
  return { value: JSON.parse(text), positions }
}

/** @throws FileSyntaxError */
export function parseToml(text: string): ParsedFile {
  const { parse, TomlError } = tomlLibrary()
  try {
    return { value: parse(text), positions: tomlPositions(text) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const message = error.message.split('\n')[0]!
    throw new FileSyntaxError([{ message, position: { line: error.line, column: error.column } }], { cause: error })
  }
}

function yamlProblem(error: YAMLError, lines: LineCounter): SyntaxProblem {
  return { message: error.message, position: positionAt(lines, error.pos[0]) }
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}

function yamlPositions(document: Document, lines: LineCounter): Map<string, Position> {
  const { isMap, isScalar, isSeq } = yamlLibrary()
  const positions = new Map<string, Position>()
  const visit = (node: unknown, path: string): void => {
    const below = (step: string | number): string => (path === '' ? String(step) : `${path}.${step}`)
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key)) continue
        const keyPath = below(String(key.value))
        if (key.range) positions.set(keyPath, positionAt(lines, key.range[0]))
        visit(value, keyPath)
      }
    }
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const itemPath = below(index)
        const range = (item as { range?: readonly number[] | null } | null)?.range
        if (range) positions.set(itemPath, positionAt(lines, range[0]!))
        visit(item, itemPath)
      })
    }
  }
  visit(document.contents, '')
  return positions
}
