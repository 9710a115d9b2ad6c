/** From files to entities, in the order of loading, each with its place. */
import { createHash } from 'node:crypto'
import { dedentCommon, splitEntities } from '../lot/syntax/split.js'
import { type Cell, readNotebook } from './notebook.js'
import {
  ENTITY_KINDS,
  type EntityCounts,
  type EntityKey,
  type EntityPlace,
  type Manifest,
  type ProjectEntity,
  type ProjectEntityKind,
  type ProjectError,
} from './project.js'
import type { ProjectFile } from './project-files.js'
import { scriptNameOf } from './script-name.js'

export interface ProjectContent {
  /** In the order of loading. */
  readonly entities: readonly ProjectEntity[]
  /** What could not be read; the rest stays. */
  readonly errors: readonly ProjectError[]
  readonly warnings: readonly string[]
}

const COMMENT = /\/\/.*|--.*|\/\*[\s\S]*?(?:\*\/|$)/g

/** @param files in the order in which they are read */
export function readProject(files: readonly ProjectFile[]): ProjectContent {
  const reader = new ProjectReader()
  for (const file of files) reader.readFile(file)
  return reader.content()
}

/** @param name of the project */
export function manifestOf(name: string, files: readonly ProjectFile[], content: ProjectContent): Manifest {
  return {
    project: name,
    files: files.map(({ path, bytes }) => ({
      path,
      bytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
    entities: content.entities.map(placedOf),
    counts: countsOf(content.entities),
    errors: content.errors,
  }
}

/** Without its text. */
export function placedOf({ kind, name, file, cell, line }: ProjectEntity): EntityKey & EntityPlace {
  return { kind, name, file, cell, line }
}

export function countsOf(entities: readonly ProjectEntity[]): EntityCounts {
  const counts = Object.fromEntries(ENTITY_KINDS.map((kind) => [kind, 0])) as Record<ProjectEntityKind, number>
  for (const { kind } of entities) counts[kind]++
  return counts
}

/** `plant.lotnb cell 3 line 7` */
export function placeText({ file, cell, line }: { file: string; cell: number | undefined; line: number }): string {
  return cell === undefined ? `${file} line ${line}` : `${file} cell ${cell} line ${line}`
}

class ProjectReader {
  readonly #byKind = new Map<ProjectEntityKind, Map<string, ProjectEntity>>(
    ENTITY_KINDS.map((kind) => [kind, new Map()]),
  )
  readonly #errors: ProjectError[] = []
  readonly #warnings: string[] = []

  readFile({ path, bytes }: ProjectFile): void {
    const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
    if (ending !== 'lotnb' && ending !== 'lot' && ending !== 'py') return
    const text = utf8Text(bytes)
    if (text === undefined) this.#errors.push({ file: path, message: 'the file is not UTF-8 text' })
    else if (ending === 'lotnb') this.#readNotebook(path, text)
    else if (ending === 'lot') this.#readLot(path, undefined, text)
    else this.#readPython(path, undefined, text, undefined)
  }

  content(): ProjectContent {
    const entities = [...this.#byKind.values()].flatMap((byName) => [...byName.values()])
    return { entities, errors: this.#errors, warnings: this.#warnings }
  }

  #readNotebook(file: string, text: string): void {
    const { cells, problems } = readNotebook(text)
    for (const { cell, message } of problems) this.#errors.push({ file, cell, message })
    for (const cell of cells) this.#readCell(file, cell)
  }

  /** Shell cells are for people: the broker never runs them. */
  #readCell(file: string, { number, language, text, scriptName }: Cell): void {
    if (language === 'lot') this.#readLot(file, number, text)
    else if (language === 'python') this.#readPython(file, number, text, scriptName)
  }

  #readLot(file: string, cell: number | undefined, text: string): void {
    const parts = splitEntities(dedentCommon(text))
    if (parts.length === 0 && text.replace(COMMENT, '').trim() !== '') {
      this.#errors.push({ file, cell, message: 'nothing here begins with DEFINE, as every entity does' })
    }
    for (const { kind, name, text: source, line } of parts) {
      if (kind === 'thing') this.#warnings.push(`${placeText({ file, cell, line })}: a THING is not deployed`)
      else this.#add({ kind, name, source, file, cell, line })
    }
  }

  #readPython(file: string, cell: number | undefined, text: string, oldName: string | undefined): void {
    if (text.trim() === '') return
    const name = scriptNameOf(text)
    if (name !== undefined) {
      this.#add({ kind: 'python', name, source: text, file, cell, line: 1 })
    } else if (oldName !== undefined && /^[A-Za-z_]\w*$/.test(oldName)) {
      // whoever reads the script later finds its name where it belongs
      const source = `# Script Name: ${oldName}\n${text}`
      this.#add({ kind: 'python', name: oldName, source, file, cell, line: 1 })
    } else {
      const message = 'a Python script has its name in the first ten lines: # Script Name: Identifier'
      this.#errors.push({ kind: 'python', file, cell, message })
    }
  }

  #add(entity: ProjectEntity): void {
    const byName = this.#byKind.get(entity.kind)!
    const earlier = byName.get(entity.name)
    if (earlier !== undefined) {
      const places = `${placeText(earlier)} and again in ${placeText(entity)}`
      this.#warnings.push(`${entity.kind} ${entity.name} is defined in ${places}; the last one holds`)
      byName.delete(entity.name)
    }
    byName.set(entity.name, entity)
  }
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
