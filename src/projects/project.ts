/** What projects are made of, and what they need from whoever runs their entities. */
import type { InternalPublish } from '../contracts/threads.js'

/** In the order of loading: what others use comes before its users, except Python, which actions wait for. */
export const ENTITY_KINDS = ['model', 'action', 'route', 'rule', 'python', 'theme', 'panel'] as const
export type ProjectEntityKind = (typeof ENTITY_KINDS)[number]

export interface EntityKey {
  readonly kind: ProjectEntityKind
  readonly name: string
}

/** Where an entity stands. */
export interface EntityPlace {
  /** Below the folder of the project, with forward slashes. */
  readonly file: string
  /** From 1; undefined in files that have no cells. */
  readonly cell: number | undefined
  /** First line of the entity, from 1, within its cell or else its file. */
  readonly line: number
}

export interface ProjectEntity extends EntityKey, EntityPlace {
  /** Verbatim, one entity. */
  readonly source: string
}

/** Value of `$SYS/Coreflux/Entities/ownership`; the key is `kind:name`. */
export interface Ownership {
  readonly project: string
  readonly file: string
  readonly cell: number | undefined
}

// ---------- what went wrong ----------

export interface SourceLine {
  readonly line: number
  readonly text: string
}

/** As in `errors[]` of an answer to a command. Line and column are relative to the entity's text. */
export interface EntityError {
  /** Of the catalogue of diagnostics; absent where the text is not to blame. */
  readonly code?: string
  readonly message: string
  readonly line?: number
  readonly column?: number
  readonly sourceLines?: readonly SourceLine[]
  readonly suggestions?: readonly string[]
}

/** The same with the place in the project. `fileLine` counts from the start of the cell, or of the file. */
export interface ProjectError extends EntityError {
  readonly kind?: ProjectEntityKind
  readonly name?: string
  readonly file?: string
  readonly cell?: number
  readonly fileLine?: number
}

// ---------- what projects need ----------

export interface EntityOutcome {
  /** Whether the entity is in force, or waits for others that it uses; after a failure the previous one stays. */
  readonly success: boolean
  readonly errors?: readonly EntityError[]
  readonly warnings?: readonly string[]
}

/** Puts entities to work; implemented by the command centre. */
export interface EntityDeployer {
  /** @returns one outcome for each, in their order; rejects only when nothing can be deployed at all */
  deploy(project: string, entities: readonly ProjectEntity[]): Promise<readonly EntityOutcome[]>
  /** Unknown ones are passed over. */
  remove(entities: readonly EntityKey[]): Promise<void>
}

export interface ProjectsTask {
  /** Folder of the projects that the broker keeps; made when it is needed. */
  readonly folder: string
  readonly deployer: EntityDeployer
  readonly publish: (messages: readonly InternalPublish[]) => Promise<void>
  /** What `remember` was given last, by its key, before this start. */
  readonly remembered: ReadonlyMap<string, string>
  /** Keeps a text over restarts; undefined forgets it. Resolves when it is kept. Keys begin with `projects/`. */
  readonly remember: (key: string, text: string | undefined) => Promise<void>
}

// ---------- what projects answer ----------

/** What the answer to a command is made from. */
export interface ProjectReply {
  readonly success: boolean
  readonly message: string
  readonly data: unknown
  readonly errors?: readonly ProjectError[]
  readonly warnings?: readonly string[]
}

export interface ProjectListEntry {
  readonly name: string
  readonly status: 'loaded' | 'unloaded'
  readonly source: 'git' | 'folder' | 'archive'
  /** Address of the remote, its password hidden; absent without one. */
  readonly url?: string
  /** Of a folder that belongs to the user. */
  readonly path?: string
}

export interface ManifestFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export type EntityCounts = Readonly<Record<ProjectEntityKind, number>>

/** Payload of `Projects/<name>/manifest`. */
export interface Manifest {
  readonly project: string
  readonly files: readonly ManifestFile[]
  readonly entities: readonly (EntityKey & EntityPlace)[]
  readonly counts: EntityCounts
  /** What of it could not be read. */
  readonly errors: readonly ProjectError[]
}

/** Payload of `Projects/<name>/status`. */
export interface ProjectStatus {
  readonly project: string
  readonly git: boolean
  /** undefined when the head is detached. */
  readonly branch?: string
  /** undefined before the first commit. */
  readonly commit?: string
  readonly url?: string
  readonly ahead?: number
  readonly behind?: number
  readonly clean?: boolean
  /** As `git status --porcelain` says it: two letters, a blank, the path. At most 1,000. */
  readonly changes?: readonly string[]
}

/**
 * The commands of projects. Calls run one after the other. What a user did wrong is answered with `success: false`;
 * rejected is only what nobody could foresee.
 */
export interface ProjectCommands {
  /** Loads the project that the configuration names, or else the remembered one; undefined if there is neither. */
  start(project: string | undefined): Promise<ProjectReply | undefined>
  /** @param args of `-addProject`: source, then a branch or name, then `load`; the last two may be left out */
  add(args: readonly string[]): Promise<ProjectReply>
  remove(name: string): Promise<ProjectReply>
  load(name: string): Promise<ProjectReply>
  unload(): Promise<ProjectReply>
  list(): Promise<ProjectReply>
  /** Publishes the archive on `Projects/<name>/download`: base64, not retained. */
  getProject(name: string): Promise<ProjectReply>
  duplicate(source: string, target: string): Promise<ProjectReply>
  checkout(name: string, ref: string): Promise<ProjectReply>
  pull(name: string, ref: string | undefined): Promise<ProjectReply>
  push(name: string, ref: string | undefined): Promise<ProjectReply>
  status(name: string): Promise<ProjectReply>
  manifest(name: string): Promise<ProjectReply>
  /** undefined for entities that were added by hand. */
  ownerOf(entity: EntityKey): Ownership | undefined
  /** An entity was added or removed by hand: it is no longer of a project. */
  release(entities: readonly EntityKey[]): Promise<void>
  /** Publishes all retained topics of projects again. */
  republish(): Promise<void>
}
