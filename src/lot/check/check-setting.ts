/** Single settings of routes: known keys, values that fit, secrets that are written out. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Report } from '../syntax/report.js'
import type { SettingNode } from '../tree.js'
import { filterProblem } from './topics.js'

const SECRETS = new Set(['PASSWORD', 'API_KEY', 'CLIENT_CERT_PASS'])
const WORDS: Readonly<Record<string, readonly string[]>> = {
  DIRECTION: ['out', 'in', 'both'],
  OVERLOAD_POLICY: ['lossless', 'balanced', 'realtime'],
  PUBLISH_MODE: ['ON_CHANGE', 'ALWAYS'],
}
const BOOLEANS = new Set([
  'ALLOW_UNTRUSTED_CERTS',
  'APPEND',
  'AUTO_ACCEPT_UNTRUSTED_CERTIFICATES',
  'BROKER_TOOLS',
  'ENABLE_ANNOTATION',
  'IGNORE_CERT_ERRORS',
  'INCLUDE_TIMESTAMP',
  'PUBLISH_ERRORS',
  'RETAIN',
  'TRUST_SERVER_CERTIFICATE',
  'USE_SECURITY',
  'USE_SSL',
  'USE_TLS',
  'WRITABLE',
])
const PORTS = new Set(['PORT', 'BROKER_PORT', 'SERVER_PORT'])

/** @param known undefined where the connector decides @param where for messages: `SQL_CONFIG`, `an event` */
export function checkSettings(
  settings: readonly SettingNode[],
  known: readonly string[] | undefined,
  where: string,
  type: string,
  report: Report,
): void {
  const seen = new Set<string>()
  for (const setting of settings) {
    const { text, span } = setting.key
    if (seen.has(text)) report.add('LOT3306', `${text} is set twice in ${where}`, span)
    seen.add(text)
    if (known !== undefined && !known.includes(text)) {
      report.add('LOT4301', `Unknown setting ${text} of ${where}`, span, nearestSpelling(text, known))
    }
    checkSecret(setting, report)
    checkValue(setting, type, report)
  }
}

/** What is written as it is; undefined for what is found out later. */
function literalOf({ value }: SettingNode): string | undefined {
  if (value.kind === 'word') return value.word
  if (value.kind !== 'expression') return undefined
  const { value: expression } = value
  if (expression.kind === 'text') return expression.value
  return expression.kind === 'number' || expression.kind === 'boolean' ? String(expression.value) : undefined
}

function checkSecret(setting: SettingNode, report: Report): void {
  const { text } = setting.key
  if (!SECRETS.has(text) || !literalOf(setting)) return
  report.add('LOT4302', `${text} is written out: keep it with -setSecret and write GET SECRET "…"`, setting.value.span)
}

function checkValue(setting: SettingNode, type: string, report: Report): void {
  const { text: key } = setting.key
  const { span } = setting.value
  const literal = literalOf(setting)
  if (literal === undefined) return
  const words = Object.hasOwn(WORDS, key) ? WORDS[key] : undefined
  if (words !== undefined && !words.some((word) => word.toLowerCase() === literal.toLowerCase())) {
    report.add('LOT3307', `${key} is one of ${words.join(', ')}`, span, nearestSpelling(literal, words))
  } else if (BOOLEANS.has(key) && !/^(?:true|false)$/i.test(literal)) {
    report.add('LOT3307', `${key} is true or false`, span)
  } else if (PORTS.has(key) && type !== 'MODBUS_SERIAL' && !isPort(literal)) {
    report.add('LOT3307', `${key} is a number from 1 to 65535`, span)
  } else if (key === 'SOURCE_TOPIC') {
    const problem = filterProblem(literal)
    if (problem !== undefined) report.add('LOT3012', `The topic filter is not valid: ${problem}`, span)
  }
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
}
