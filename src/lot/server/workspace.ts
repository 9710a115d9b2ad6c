/** All texts that belong together: those of the workspace on disk, and before them those that are open in the editor. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type CheckWorld, checkProgram } from '../check/check.js'
import { lineageOf } from '../check/model-fields.js'
import type { Diagnostic } from '../diagnostics.js'
import type { ActionNode, Entity, EntityKind, ModelNode, RouteNode } from '../tree.js'
import { type Compat, LotDocument } from './lot-document.js'
import type { Occurrence } from './occurrences.js'

const FILES_MAX = 2_000
const FILE_BYTES_MAX = 4_194_304
const DEPTH_MAX = 12

export interface PlacedOccurrence {
  readonly document: LotDocument
  readonly occurrence: Occurrence
}

export class Workspace implements CheckWorld {
  readonly #onDisk = new Map<string, LotDocument>()
  readonly #open = new Map<string, LotDocument>()
  /** Counts for texts that are read from then on. */
  compat: Compat = 'v2'

  /** Reads all `.lot` files below. What cannot be read is passed over. */
  async addFolder(uri: string): Promise<void> {
    if (!uri.startsWith('file:')) return
    const paths: string[] = []
    await findFiles(fileURLToPath(uri), 0, paths)
    for (const path of paths) await this.readFile(pathToFileURL(path).href)
  }

  /** A file is new, or another one, or gone. */
  async readFile(uri: string): Promise<void> {
    if (!uri.startsWith('file:')) return
    try {
      const bytes = await readFile(fileURLToPath(uri))
      if (bytes.length <= FILE_BYTES_MAX) this.#onDisk.set(uri, new LotDocument(uri, bytes.toString(), this.compat))
    } catch {
      this.#onDisk.delete(uri)
    }
  }

  open(uri: string, text: string): void {
    this.#open.set(uri, new LotDocument(uri, text, this.compat))
  }

  /** From then on the text on disk counts. */
  close(uri: string): void {
    this.#open.delete(uri)
  }

  get openDocuments(): Iterable<LotDocument> {
    return this.#open.values()
  }

  get(uri: string): LotDocument | undefined {
    return this.#open.get(uri) ?? this.#onDisk.get(uri)
  }

  *documents(): Generator<LotDocument> {
    yield* this.#open.values()
    for (const [uri, document] of this.#onDisk) if (!this.#open.has(uri)) yield document
  }

  // ---------- names ----------

  model(name: string): ModelNode | undefined {
    return this.#find('model', name) as ModelNode | undefined
  }

  action(name: string): ActionNode | undefined {
    return this.#find('action', name) as ActionNode | undefined
  }

  route(name: string): RouteNode | undefined {
    return this.#find('route', name) as RouteNode | undefined
  }

  /** What the parser and the checker say of a document. */
  diagnose(document: LotDocument): readonly Diagnostic[] {
    return [...document.diagnostics, ...checkProgram(document.program, this, { compat: this.compat })]
  }

  entities(kind: EntityKind): Entity[] {
    return [...this.documents()].flatMap(({ program }) => program.entities.filter((entity) => entity.kind === kind))
  }

  /** Everything that is the same thing by its name, wherever it stands. */
  same(occurrence: Occurrence): PlacedOccurrence[] {
    const key = this.#keyOf(occurrence)
    const found: PlacedOccurrence[] = []
    for (const document of this.documents()) {
      for (const other of document.occurrences) {
        if (other.name === occurrence.name && this.#keyOf(other) === key) found.push({ document, occurrence: other })
      }
    }
    return found
  }

  /** Topics that are written in the workspace, without wildcards and with. */
  topics(): Set<string> {
    const topics = new Set<string>()
    for (const { source } of this.documents()) {
      for (const [, topic] of source.text.matchAll(/\b(?:TOPIC|CHANGE|SUBSCRIBE)[ \t]+"([^"\n]+)"/g)) topics.add(topic)
    }
    return topics
  }

  #find(kind: EntityKind, name: string): Entity | undefined {
    for (const { program } of this.documents()) {
      const found = program.entities.findLast((entity) => entity.kind === kind && entity.name.text === name)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** A field belongs to the eldest model that declares it. */
  #keyOf({ kind, name, within }: Occurrence): string {
    if (kind !== 'field') return `${kind} ${within} ${name}`
    const model = this.model(within)
    const lineage = model === undefined ? [] : lineageOf(model, this).lineage
    const owner = lineage.findLast(({ members }) =>
      members.some((member) => 'name' in member && member.name.text === name),
    )
    return `field ${owner?.name.text ?? within} ${name}`
  }
}

async function findFiles(folder: string, depth: number, paths: string[]): Promise<void> {
  if (depth > DEPTH_MAX || paths.length >= FILES_MAX) return
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    if (entry.isDirectory()) await findFiles(join(folder, entry.name), depth + 1, paths)
    else if (entry.isFile() && entry.name.toLowerCase().endsWith('.lot')) paths.push(join(folder, entry.name))
  }
}
