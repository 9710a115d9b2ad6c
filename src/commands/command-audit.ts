/** What the audit trail is told of a command: its name, and of its arguments those that can hold no secret. */
import { type AuditRecord, endpointOf } from '../contracts/audit.js'
import type { Identity } from '../contracts/security.js'
import type { Command } from './command.js'
import { assignmentOf, type CommandLine, firstWord, wordsOf } from './command-line.js'
import type { Reply } from './envelope.js'

/** What of a command is shown, besides its name. */
type Shown = (rest: string) => readonly string[]

const ENTITY = /\bDEFINE\s+(?:ACTION|MODEL|ROUTE|RULE|PANEL|VISU|THEME)\s+(?:"([^"\n]{1,255})"|([\w.-]{1,255}))/i
/** A body may have megabytes; its name is at its beginning. */
const HEADER_CHARS = 1_000
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/
/** Of JSON, assignments, addresses and encoded bytes, which are sent where a name was forgotten. */
const NO_NAME = /[{}=]|:\/\/|^\w+64:/

const entity: Shown = (rest) => {
  const match = ENTITY.exec(rest.slice(0, HEADER_CHARS))
  return match === null ? [] : [match[1] ?? match[2]]
}

const variable: Shown = (rest) => {
  const { name } = assignmentOf(rest) ?? {}
  return name !== undefined && VARIABLE.test(name) ? [name] : []
}

/** The words after it may be a password, or anything. */
const oneWord: Shown = (rest) => {
  const [word] = firstWord(rest)
  return word === undefined ? [] : namesOf([word])
}

const day: Shown = (rest) => {
  const match = /^\d{4}-\d\d-\d\d/.exec(rest)
  return match === null ? [] : [match[0]]
}

const twoWords: Shown = (rest) => namesOf(wordsOf(rest).slice(0, 2))

/** User and setting; its value where it says whether something is allowed. */
const setting: Shown = (rest) => {
  const [user, name, value, ...more] = wordsOf(rest)
  const isFlag = more.length === 0 && /^(true|false)$/i.test(value ?? '')
  return namesOf([user, name, isFlag ? value : undefined].filter((word) => word !== undefined))
}

/** A command that is not here is shown by its name alone. */
const SHOWN: Readonly<Record<string, Shown>> = {
  AddModel: entity,
  AddAction: entity,
  AddRoute: entity,
  AddRule: entity,
  AddPanel: entity,
  AddVisu: entity,
  AddTheme: entity,
  RemoveModel: oneWord,
  RemoveAction: oneWord,
  RemoveRoute: oneWord,
  RemoveRule: oneWord,
  RemovePanel: oneWord,
  RemoveVisu: oneWord,
  RemoveTheme: oneWord,
  RemovePython: oneWord,
  InstallPythonPackage: oneWord,
  RemovePythonPackage: oneWord,
  RunAction: oneWord,
  ActionTrace: twoWords,
  LotDiagnostic: twoWords,
  CheckRouteConnection: oneWord,
  PanelCode: oneWord,
  UpdateVisuState: twoWords,
  RemoveProject: oneWord,
  LoadProject: oneWord,
  GetProject: oneWord,
  DuplicateProject: twoWords,
  ProjectCheckout: twoWords,
  ProjectPull: oneWord,
  ProjectPush: oneWord,
  ProjectStatus: oneWord,
  ProjectManifest: oneWord,
  SetEnv: variable,
  RemoveEnv: oneWord,
  SetSecret: variable,
  RemoveSecret: oneWord,
  AddUser: oneWord,
  ChangeUserPassword: oneWord,
  RemoveUser: oneWord,
  ChangeUserSettings: setting,
  AddUserToGroup: twoWords,
  RemoveUserFromGroup: twoWords,
  ListUserGroups: oneWord,
  Ban: twoWords,
  Unban: twoWords,
  AuditQuery: day,
  DecryptAudit: oneWord,
}

/**
 * @param command undefined for one that is not known: nothing of its text is shown
 * @param reply undefined for a command that sends none
 * @param sender undefined for the broker itself
 */
export function auditOfCommand(
  line: CommandLine | undefined,
  command: Command | undefined,
  reply: Reply | undefined,
  sender: Identity | undefined,
): AuditRecord {
  const isDenied = reply?.isDenied === true
  return {
    kind: isDenied ? 'denial' : 'command',
    user: sender?.userName ?? '',
    clientId: sender?.clientId ?? '',
    address: sender === undefined ? '' : endpointOf(sender),
    what: line === undefined || command === undefined ? 'unknown command' : whatOf(command, line, reply),
    success: reply?.success ?? true,
    // not the message: it may repeat what was sent
    detail: isDenied ? `no ${command?.scope ?? 'permission'}` : '',
  }
}

function namesOf(words: readonly string[]): readonly string[] {
  return words.some((word) => NO_NAME.test(word)) ? [] : words
}

function whatOf({ name }: Command, { rest }: CommandLine, reply: Reply | undefined): string {
  const shown = SHOWN[name]?.(rest) ?? []
  const words = shown.length === 0 && reply?.entity !== undefined ? [reply.entity.name] : shown
  return [name, ...words].join(' ')
}
