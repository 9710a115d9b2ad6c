/** The LoT that a command is given: files, notebooks, and folders, which are projects. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { dedentCommon } from '../lot/syntax/split.js'
import { readNotebook } from '../projects/notebook.js'
import { readProjectFiles } from '../projects/project-files.js'
import { scriptNameOf } from '../projects/script-name.js'
import type { CommandContext } from './command.js'
import { wrongUsage } from './exit.js'

/** One text that the parser reads: a file, or a cell of a notebook. */
export interface LotText {
  /** As the user wrote it, or below the folder that the user wrote. */
  readonly file: string
  /** From 1; undefined in files without cells. */
  readonly cell: number | undefined
  /** Without the indentation that all lines have. */
  readonly text: string
}

export interface PythonText {
  readonly name: string
  readonly text: string
}

export interface FileProblem {
  readonly file: string
  readonly cell: number | undefined
  readonly message: string
}

export interface LotFiles {
  readonly texts: readonly LotText[]
  readonly scripts: readonly PythonText[]
  readonly problems: readonly FileProblem[]
}

/** Stands for standard input. */
const STDIN = '-'
const STDIN_NAME = 'stdin.lot'

/** What a command reads. */
export interface FileKind {
  readonly ending: RegExp
  /** For who names something else. */
  readonly remedy: string
}

const LOT_FILES: FileKind = { ending: /\.(lot|lotnb|py)$/i, remedy: 'give .lot, .lotnb or .py files, or a folder' }

/** @throws BrokerError FILE_UNREADABLE, CommandError for files of another kind */
export async function readLotFiles(names: readonly string[], context: CommandContext): Promise<LotFiles> {
  const reader = new Reader()
  for (const { name, bytes } of await readNamed(names, context)) reader.read(name, bytes)
  return reader
}

export interface NamedFile {
  readonly name: string
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * Files as they are named, those of folders in the order of their paths.
 * @throws BrokerError FILE_UNREADABLE, CommandError for files of another kind
 */
export async function readNamed(
  names: readonly string[],
  context: CommandContext,
  { ending, remedy }: FileKind = LOT_FILES,
): Promise<NamedFile[]> {
  const files: NamedFile[] = []
  for (const name of names) {
    if (name === STDIN) files.push({ name: STDIN_NAME, path: STDIN, bytes: await readAll(context) })
    else if (isFolder(name, context)) {
      const folder = resolve(context.workingDirectory, name)
      for (const { path, bytes } of await readProjectFiles(folder)) {
        if (ending.test(path)) files.push({ name: join(name, path), path: join(folder, path), bytes })
      }
    } else files.push(await readOne(name, context, ending, remedy))
  }
  return files
}

async function readOne(name: string, context: CommandContext, ending: RegExp, remedy: string): Promise<NamedFile> {
  const path = resolve(context.workingDirectory, name)
  if (!existsSync(path)) throw wrongUsage(`cannot read ${name}: no such file or folder`, remedy)
  if (!ending.test(name)) throw wrongUsage(`${name} is not a file that this command reads`, remedy)
  try {
    return { name, path, bytes: await readFile(path) }
  } catch (error) {
    throw new BrokerError('FILE_UNREADABLE', { path: name, reason: systemReason(error) }, { cause: error })
  }
}

function isFolder(name: string, context: CommandContext): boolean {
  return statSync(resolve(context.workingDirectory, name), { throwIfNoEntry: false })?.isDirectory() === true
}

async function readAll(context: CommandContext): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks)
}

class Reader implements LotFiles {
  readonly texts: LotText[] = []
  readonly scripts: PythonText[] = []
  readonly problems: FileProblem[] = []

  read(file: string, bytes: Uint8Array): void {
    const text = utf8Text(bytes)
    const ending = file.slice(file.lastIndexOf('.') + 1).toLowerCase()
    if (text === undefined) this.problems.push({ file, cell: undefined, message: 'the file is not UTF-8 text' })
    else if (ending === 'lotnb') this.#readNotebook(file, text)
    else if (ending === 'py') this.#readScript(text, undefined)
    else this.texts.push({ file, cell: undefined, text: dedentCommon(text) })
  }

  #readNotebook(file: string, text: string): void {
    const { cells, problems } = readNotebook(text)
    for (const { cell, message } of problems) this.problems.push({ file, cell, message })
    for (const { language, number, text: cellText, scriptName } of cells) {
      if (language === 'lot') this.texts.push({ file, cell: number, text: dedentCommon(cellText) })
      else if (language === 'python') this.#readScript(cellText, scriptName)
    }
  }

  #readScript(text: string, oldName: string | undefined): void {
    const name = scriptNameOf(text) ?? oldName
    if (name !== undefined) this.scripts.push({ name, text })
  }
}

export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
