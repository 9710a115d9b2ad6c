/** Notebooks (`.lotnb`): a JSON array of cells. */
import { messageOf } from '../base/errors.js'

export type CellLanguage = 'markdown' | 'lot' | 'python' | 'shellscript'

export interface Cell {
  /** Position in the notebook, from 1. */
  readonly number: number
  readonly language: CellLanguage
  readonly text: string
  /** Name of a Python script without a header, in old notebooks. */
  readonly scriptName: string | undefined
}

export interface NotebookProblem {
  /** undefined where the whole file is meant. */
  readonly cell: number | undefined
  readonly message: string
}

export interface Notebook {
  /** Cells that could be read. */
  readonly cells: readonly Cell[]
  readonly problems: readonly NotebookProblem[]
}

const MARKDOWN_KIND = 1
const CODE_KIND = 2
const CELLS_MAX = 10_000
const LANGUAGES: ReadonlyMap<string, CellLanguage> = new Map([
  ['markdown', 'markdown'],
  ['lot', 'lot'],
  ['python', 'python'],
  ['shellscript', 'shellscript'],
])

/** Reads a notebook; an empty text is an empty one. What is wrong is told with the number of the cell. Never throws. */
export function readNotebook(text: string): Notebook {
  const content = text.replace(/^\uFEFF/, '')
  if (content.trim() === '') return { cells: [], problems: [] }
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch (error) {
    return failed(`a notebook is a JSON array of cells: ${messageOf(error)}`)
  }
  if (!Array.isArray(parsed)) return failed('a notebook is a JSON array of cells, and this is none')
  if (parsed.length > CELLS_MAX) return failed(`a notebook has at most ${CELLS_MAX} cells, this one ${parsed.length}`)
  return readCells(parsed)
}

function readCells(parsed: readonly unknown[]): Notebook {
  const cells: Cell[] = []
  const problems: NotebookProblem[] = []
  for (const [index, value] of parsed.entries()) {
    const cell = readCell(value, index + 1)
    if (typeof cell === 'string') problems.push({ cell: index + 1, message: cell })
    else cells.push(cell)
  }
  return { cells, problems }
}

/** @returns what is wrong with it, as text */
function readCell(value: unknown, number: number): Cell | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a cell is a JSON object'
  const { kind, language, value: text, scriptName } = value as Readonly<Record<string, unknown>>
  if (typeof text !== 'string') return 'a cell has its text in "value"'
  if (kind !== MARKDOWN_KIND && kind !== CODE_KIND) return '"kind" is 1 for Markdown and 2 for code'
  const known = kind === MARKDOWN_KIND ? 'markdown' : LANGUAGES.get(String(language).toLowerCase())
  if (known === undefined) {
    return `"language" is ${[...LANGUAGES.keys()].join(', ')}, and not ${JSON.stringify(language) ?? 'left out'}`
  }
  return { number, language: known, text, scriptName: typeof scriptName === 'string' ? scriptName : undefined }
}

/** The text of a notebook with these cells. */
export function writeNotebook(cells: readonly Omit<Cell, 'number'>[]): string {
  const values = cells.map(({ language, text, scriptName }) => ({
    kind: language === 'markdown' ? MARKDOWN_KIND : CODE_KIND,
    language,
    value: text,
    ...(scriptName === undefined ? {} : { scriptName }),
  }))
  return `${JSON.stringify(values, undefined, 2)}\n`
}

function failed(message: string): Notebook {
  return { cells: [], problems: [{ cell: undefined, message }] }
}
