/** The configuration file: which one is read, and its content with the place of every key. */
import { existsSync, readFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { FileSyntaxError, type ParsedFile, parseJson, parseToml, parseYaml } from './file-formats.js'

/** Read from the working directory when no file is named. */
export const DEFAULT_FILE_NAMES = ['merlot.yaml', 'merlot.yml', 'merlot.json', 'merlot.toml']

export interface ConfigFile extends ParsedFile {
  /** As the user named it. */
  readonly name: string
  readonly path: string
}

const PARSERS: Readonly<Record<string, (text: string) => ParsedFile>> = {
  '.yaml': parseYaml,
  '.yml': parseYaml,
  '.json': parseJson,
  '.toml': parseToml,
}

/**
 * The file to read: the named one, or the one with a default name in the working directory.
 * @throws BrokerError CONFIG_INVALID when several files have default names
 */
export function findConfigFile(named: string | undefined, workingDirectory: string): string | undefined {
  if (named !== undefined) return named
  const found = DEFAULT_FILE_NAMES.filter((name) => existsSync(join(workingDirectory, name)))
  if (found.length > 1) {
    throw new BrokerError('CONFIG_INVALID', {
      problem: `${found.join(' and ')} are both in ${workingDirectory}: say with --config which one is meant`,
    })
  }
  return found[0]
}

/**
 * @param name relative to `workingDirectory` or absolute; the extension tells the format
 * @throws BrokerError FILE_UNREADABLE, or CONFIG_INVALID with the place of each syntax error
 */
export function readConfigFile(name: string, workingDirectory: string): ConfigFile {
  const parse = PARSERS[extname(name).toLowerCase()]
  if (parse === undefined) {
    throw new BrokerError('CONFIG_INVALID', {
      problem: `${name} has none of the extensions that tell its format: ${Object.keys(PARSERS).join(', ')}`,
    })
  }
  const path = resolve(workingDirectory, name)
  const text = readText(path, name)
  try {
    return { ...parse(text), name, path }
  } catch (error) {
    if (!(error instanceof FileSyntaxError)) throw error
    const lines = error.problems.map(({ message, position }) =>
      position === undefined ? `${name}: ${message}` : `${name}:${position.line}:${position.column}: ${message}`,
    )
    throw new BrokerError('CONFIG_INVALID', { problem: lines.join('\n') }, { cause: error })
  }
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    throw new BrokerError('FILE_UNREADABLE', { path: name, reason: systemReason(error) }, { cause: error })
  }
}
