/**
 * The configuration of this run: defaults, then the file, then what clients have set, then the environment, then flags;
 * checked and frozen.
 */
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { BrokerError } from '../base/errors.js'
import { effectiveValues } from './effective.js'
import { readEnvironment } from './environment.js'
import { type ConfigFile, findConfigFile, readConfigFile } from './file.js'
import type { KeptSettings } from './kept-settings.js'
import { expectedText, type KeyPath, nodeAt, pathOfText, pathText, valueAt } from './keys.js'
import { applyListenerFlags, type ListenerFlags, type SetText } from './listener-flags.js'
import { CLIENT_ORIGIN, DEFAULT_ORIGIN, type Origin } from './origin.js'
import { Overlay } from './overlay.js'
import { BrokerConfig } from './schema.js'
import { givenText, valueOfText } from './values.js'

export interface ConfigFlags extends ListenerFlags {
  /** The configuration file; otherwise `MERLOT_CONFIG`, otherwise the one with a default name in the working directory. */
  readonly config?: string
  readonly data?: string
  readonly shards?: string
  /** A folder, a zip file, a name or a Git address. */
  readonly project?: string
  /** `key=value`, in the order given. */
  readonly set?: readonly string[]
}

export interface ConfigSources {
  readonly flags: ConfigFlags
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  /** What clients have set. */
  readonly kept?: KeptSettings
}

export interface LoadedConfig {
  /** Frozen; paths of files and folders are absolute. */
  readonly config: BrokerConfig
  /** Absolute path of the file that was read, where there was one. */
  readonly file: string | undefined
  /** Where the value of a key came from. */
  originOf(path: KeyPath): Origin
  /** What was ignored, for the log. */
  readonly warnings: readonly string[]
}

/**
 * @throws BrokerError FILE_UNREADABLE, or CONFIG_INVALID with every problem found, each with the place it is at and what
 * was expected
 */
export function loadConfig({ flags, environment, workingDirectory, kept }: ConfigSources): LoadedConfig {
  const name = findConfigFile(flags.config ?? (environment.MERLOT_CONFIG || undefined), workingDirectory)
  const file = name === undefined ? undefined : readConfigFile(name, workingDirectory)
  const overlay = new Overlay()
  if (file !== undefined) overlay.set([], file.value, (path) => fileOrigin(file, path))
  applyKept(overlay, kept)
  const setText: SetText = (path, text, origin) => {
    const node = nodeAt(path)
    overlay.set(path, node === undefined ? text : valueOfText(node, text), () => origin)
  }
  const warnings = applyEnvironment(overlay, environment, setText)
  applyFlags(overlay, flags, setText)

  const baseOf = (origin: Origin): string =>
    origin.kind === 'file' && file !== undefined ? dirname(file.path) : workingDirectory
  const config = completed(overlay, baseOf)
  return { config, file: file?.path, originOf: (path) => overlay.originAt(path), warnings }
}

/**
 * The same over a configuration that is complete already, of which nobody knows where it came from.
 * @throws BrokerError CONFIG_INVALID
 */
export function loadOver(base: BrokerConfig, kept: KeptSettings): LoadedConfig {
  const overlay = new Overlay()
  overlay.set([], JSON.parse(JSON.stringify(base)), () => DEFAULT_ORIGIN)
  applyKept(overlay, kept)
  const config = completed(overlay, () => process.cwd())
  return { config, file: undefined, originOf: (path) => overlay.originAt(path), warnings: [] }
}

/** @param baseOf the folder where relative paths of this origin begin @throws BrokerError CONFIG_INVALID */
function completed(overlay: Overlay, baseOf: (origin: Origin) => string): BrokerConfig {
  const parsed = BrokerConfig.safeParse(overlay.tree)
  if (!parsed.success) reportIssues(overlay, parsed.error.issues)
  if (overlay.problems.length > 0 || !parsed.success) throw invalid(overlay.problems)
  resolveFiles(parsed.data, (path) => baseOf(overlay.originAt(path)))
  return deepFreeze(parsed.data)
}

function applyKept(overlay: Overlay, kept: KeptSettings = new Map()): void {
  for (const [key, value] of kept) overlay.set(pathOfText(key), value, () => CLIENT_ORIGIN)
}

function fileOrigin(file: ConfigFile, path: KeyPath): Origin {
  for (let length = path.length; length > 0; length--) {
    const position = file.positions.get(pathText(path.slice(0, length)))
    if (position !== undefined) return { kind: 'file', file: file.name, ...position }
  }
  return { kind: 'file', file: file.name, line: 0, column: 0 }
}

function applyEnvironment(
  overlay: Overlay,
  variables: ConfigSources['environment'],
  setText: SetText,
): readonly string[] {
  const { settings, problems, warnings } = readEnvironment(variables)
  overlay.problems.push(...problems)
  for (const { variable, path, text } of settings) setText(path, text, { kind: 'environment', variable })
  return warnings
}

function applyFlags(overlay: Overlay, flags: ConfigFlags, setText: SetText): void {
  for (const setting of flags.set ?? []) {
    const [, key, text] = /^([^=]+)=(.*)$/s.exec(setting) ?? []
    const origin: Origin = { kind: 'flag', flag: `--set ${key ?? setting}` }
    if (key === undefined || text === undefined) overlay.report('a setting is written key=value', origin)
    else setText(key.trim().split('.'), text, origin)
  }
  if (flags.data !== undefined) setText(['dataDirectory'], flags.data, { kind: 'flag', flag: '--data' })
  if (flags.shards !== undefined) setText(['threads', 'shards'], flags.shards, { kind: 'flag', flag: '--shards' })
  if (flags.project !== undefined) setText(['lot', 'project'], flags.project, { kind: 'flag', flag: '--project' })
  applyListenerFlags(overlay, flags, setText)
}

function reportIssues(overlay: Overlay, issues: readonly z.core.$ZodIssue[]): void {
  for (const issue of issues) {
    const path = issue.path.filter((step) => typeof step !== 'symbol')
    const node = nodeAt(path)
    const origin = overlay.originAround(path)
    if (issue.code === 'custom' || node === undefined) {
      overlay.report(`${pathText(path)} ${issue.message}`, origin)
      continue
    }
    const value = valueAt(overlay.tree, path)
    const wanted = `${pathText(path)} must be ${expectedText(node)}`
    overlay.report(
      value === undefined ? `${wanted}, but is missing` : `${wanted}, but ${givenText(node, value)} was given`,
      origin,
    )
  }
}

function invalid(problems: readonly string[]): BrokerError<'CONFIG_INVALID'> {
  const problem =
    problems.length === 1
      ? problems[0]!
      : `the configuration has ${problems.length} problems:\n  ${problems.join('\n  ')}`
  return new BrokerError('CONFIG_INVALID', { problem })
}

/** Relative paths begin at the folder of the file that names them, otherwise at the working directory. */
function resolveFiles(config: BrokerConfig, baseOf: (path: KeyPath) => string): void {
  for (const { path, node, value } of effectiveValues(config)) {
    const socketFile =
      path[0] === 'listeners' && path[2] === 'path' && config.listeners[Number(path[1])]?.type === 'unix'
    if (typeof value !== 'string' || value === '' || !(node.file || socketFile)) continue
    if (node.file === 'orName' && !isPath(value)) continue
    const parent = valueAt(config, path.slice(0, -1)) as Record<string, unknown>
    parent[String(path.at(-1))] = resolve(baseOf(path), value)
  }
}

/** A slash before any colon, a drive, or the ending of an archive: names and addresses have none of them. */
function isPath(text: string): boolean {
  return /^[^:]*[\\/]|^\.{1,2}$|^[A-Za-z]:[\\/]|^[^:]*\.zip$/i.test(text)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
