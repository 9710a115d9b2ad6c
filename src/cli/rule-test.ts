/** `merlot rule test`: whether somebody may do something, and which rule decides; of a broker, or of files. */
import { type AccessData, accessData, accessQuestion } from '../commands/access-command.js'
import type { RuleWorld, UserProfile } from '../contracts/security.js'
import { Policy } from '../security/rules/policy.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { ANSWER_OPTIONS, sendCommand } from './command-exchange.js'
import { CONNECTION_OPTIONS, readNamedFile } from './connection-options.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'
import { readLotFiles } from './lot-files.js'
import { LotTexts } from './lot-texts.js'
import { OWNER_OPTIONS, ownerSettings } from './owner-access.js'
import { ONLY_OPTION, ownRules, rulesIn } from './rule-check.js'

const OPTIONS: readonly OptionDefinition[] = [
  { flags: '--user <name>', kind: 'text', doc: 'who asks (otherwise an anonymous client)' },
  { flags: '--client <identifier>', kind: 'text', doc: 'its client identifier (otherwise any-client)' },
  { flags: '--address <address>', kind: 'text', doc: 'its IP address (otherwise 127.0.0.1)' },
  { flags: '--group <name>', kind: 'text', repeatable: true, doc: 'a group besides those of the user, as of a token' },
]

/** Without them a broker is asked. */
const OFFLINE_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--rules <file>', kind: 'text', repeatable: true, doc: 'ask the rules of this file, not a broker' },
  { ...ONLY_OPTION, doc: 'with --rules: without the rules that every broker begins with' },
  { flags: '--users <file>', kind: 'text', doc: 'with --rules: JSON list of {name, groups, properties}' },
  {
    flags: '--retained <message>',
    kind: 'text',
    repeatable: true,
    doc: 'with --rules: topic=value of a retained message',
  },
  { flags: '--deeper', kind: 'flag', doc: 'with --rules: a + at the end of a topic stands for several levels, too' },
]

export const ruleTestCommand: CommandDefinition = {
  name: 'rule test',
  summary: 'Ask rules who may do what; exit code 1 if it is denied',
  argument: {
    name: 'operation',
    doc: 'publish TOPIC, subscribe FILTER, connect, command, or a scope of rules',
    count: 'many',
  },
  ownsH: true,
  options: [...OPTIONS, ...OFFLINE_OPTIONS, ...ANSWER_OPTIONS, ...OWNER_OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    'merlot rule test --user ann --client panel-7 publish line/1/setpoint',
    'merlot rule test --user ann subscribe "line/#" -h broker.local -u root --password-file root.txt',
    'merlot rule test --rules rules.lot --user ann --group leads publish line/1/setpoint',
    'merlot rule test --rules rules.lot --retained locks/panel-7=1 --client panel-7 connect',
  ],
  async run(values, context) {
    const request = requestOf(values)
    const data = values.has('rules')
      ? await askFiles(values, request, context)
      : await askBroker(values, request, context)
    if (values.flag('json')) context.stdout.write(`${JSON.stringify(data)}\n`)
    else print(data, context)
    return data.allowed ? ExitCode.ok : ExitCode.failed
  },
}

type Request = Readonly<Record<string, string | readonly string[] | undefined>>

function requestOf(values: OptionValues): Request {
  const [operation, topic, ...more] = values.texts('operation')
  if (more.length > 0) throw wrongUsage(`what is "${more[0]}"?`, 'after the operation at most a topic follows')
  return {
    operation,
    topic,
    user: values.text('user'),
    client: values.text('client'),
    address: values.text('address'),
    groups: values.texts('group'),
  }
}

async function askBroker(values: OptionValues, request: Request, context: CommandContext): Promise<AccessData> {
  const stray = ['only', 'users', 'retained', 'deeper'].find((name) => values.has(name))
  if (stray !== undefined) throw wrongUsage(`--${stray} is of no use without --rules`, 'a broker knows its own')
  const question = accessQuestion(request)
  if (typeof question === 'string') throw wrongUsage(question)
  const settings = ownerSettings(values, context)
  const text = `-checkAccess ${JSON.stringify(request)}`
  const answer = await sendCommand(text, settings, context, values.integer('timeout'))
  if (answer?.success !== true) throw new CommandError(answer?.message ?? 'the broker did not answer', undefined)
  return answer.data as AccessData
}

async function askFiles(values: OptionValues, request: Request, context: CommandContext): Promise<AccessData> {
  const question = accessQuestion(request)
  if (typeof question === 'string') throw wrongUsage(question)
  const rules = await ruleTexts(values, context)
  const policy = new Policy({ trailingPlusMatchesDeeper: values.flag('deeper') })
  policy.change({ rules, users: usersOf(values, context), removedUsers: [], isWhole: true })
  const explanation = policy.explain(question, worldOf(values.texts('retained')))
  // without a list of users none is known
  return accessData(values.has('users') ? explanation : { ...explanation, unknownUser: undefined })
}

async function ruleTexts(values: OptionValues, context: CommandContext): Promise<readonly string[]> {
  const files = await readLotFiles(values.texts('rules'), context)
  const texts = new LotTexts(files, { compat: 'v1', strictIndent: false })
  if (texts.count('error') > 0 || files.problems.length > 0) {
    throw wrongUsage('the rules have errors', 'merlot rule check shows them')
  }
  const given = rulesIn(texts).map(({ text, node }) => text.source.text.slice(node.span.start, node.span.end))
  return values.flag('only') ? given : [...given, ...ownRules().map(({ text }) => text)]
}

function usersOf(values: OptionValues, context: CommandContext): readonly UserProfile[] {
  const name = values.text('users')
  if (name === undefined) return []
  const problem = (): CommandError =>
    wrongUsage(`${name} is not a list of users`, 'write [{"name": "ann", "groups": ["leads"], "properties": {}}]')
  let users: unknown
  try {
    users = JSON.parse(readNamedFile(name, context).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw problem()
    throw error
  }
  if (!Array.isArray(users)) throw problem()
  return users.map((user: unknown) => profileOf(user) ?? fail(problem()))
}

function fail(error: CommandError): never {
  throw error
}

/** @returns undefined for what is no user */
function profileOf(user: unknown): UserProfile | undefined {
  if (typeof user !== 'object' || user === null) return undefined
  const { name, groups = [], properties = {} } = user as Readonly<Record<string, unknown>>
  const isList = Array.isArray(groups) && groups.every((group) => typeof group === 'string')
  if (typeof name !== 'string' || !isList || typeof properties !== 'object' || properties === null) return undefined
  const texts = Object.entries(properties).map(([key, value]) => [key, String(value)])
  return { name, groups: groups as string[], properties: Object.fromEntries(texts) as Record<string, string> }
}

function worldOf(retained: readonly string[]): RuleWorld {
  const values = new Map<string, string>()
  for (const text of retained) {
    const at = text.indexOf('=')
    if (at < 1) throw wrongUsage(`"${text}" is not a retained message`, 'write --retained topic=value')
    values.set(text.slice(0, at), text.slice(at + 1))
  }
  return { hasRetained: (topic) => values.has(topic), value: (topic) => values.get(topic) }
}

const OUTCOMES = { allow: 'allows', deny: 'denies', abstain: 'says nothing', 'other topic': 'other topic' } as const

function print({ allowed, reason, considered, warnings }: AccessData, { stdout }: CommandContext): void {
  stdout.write(`${allowed ? 'allowed' : 'denied'}: ${reason}\n`)
  for (const warning of warnings) stdout.write(`warning: ${warning}\n`)
  const width = Math.max(0, ...considered.map(({ rule }) => rule.length))
  for (const { rule, priority, outcome } of considered) {
    stdout.write(`${String(priority).padStart(9)}  ${rule.padEnd(width)}  ${OUTCOMES[outcome]}\n`)
  }
}
