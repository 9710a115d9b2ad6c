/** Writes docs/configuration.md from the schema: `node dist/scripts/config-reference.js`. A test holds the two equal. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { packageFolder } from '../src/base/version.js'
import { environmentName } from '../src/config/environment.js'
import {
  allKeys,
  CONFIG_KEYS,
  type KeyNode,
  type List,
  type Section,
  type Value,
  type ValueForm,
} from '../src/config/keys.js'

export const CONFIG_REFERENCE_FILE = join(packageFolder(), 'docs', 'configuration.md')

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema.ts by scripts/config-reference.ts. Change the schema, then run it again. -->

Merlot runs without any configuration. What you do set may come from five places; a later one wins:

1. the defaults in the tables below
2. a file in YAML, JSON or TOML
3. what clients have set while the broker ran, by \`$SYS/Coreflux/Config/New\` ([Changing the configuration](reload.md))
4. environment variables
5. options of the command line

\`merlot config\` prints every value with the place it came from. \`merlot check\` says whether a broker can start with it.
A key that does not exist is refused with the nearest one that does; a value that does not fit is refused with what was
expected and where it was given.

## The file

\`--config FILE\` names it, otherwise the environment variable \`MERLOT_CONFIG\`. Without either, Merlot reads
\`merlot.yaml\`, \`merlot.yml\`, \`merlot.json\` or \`merlot.toml\` in the working directory if one is there; if there are
several, it asks you to name one. The extension tells the format. \`merlot start\` prints which file was read.

\`\`\`yaml
# merlot.yaml
listeners:
  - type: tcp
    host: 0.0.0.0
  - type: wss
    host: 0.0.0.0
    port: 443
    tls:
      certFile: certs/broker.pem
      keyFile: certs/broker.key
session:
  receiveMaximum: 100
log:
  level: warn
  areas:
    session: debug
\`\`\`

\`\`\`toml
# merlot.toml: the same
[[listeners]]
type = "tcp"
host = "0.0.0.0"

[[listeners]]
type = "wss"
host = "0.0.0.0"
port = 443
[listeners.tls]
certFile = "certs/broker.pem"
keyFile = "certs/broker.key"

[session]
receiveMaximum = 100

[log]
level = "warn"
areas = { session = "debug" }
\`\`\`

Relative paths of files and folders begin at the folder of the configuration file that names them; those from variables
and options, and the default of \`dataDirectory\`, begin at the working directory.

## Environment variables

The name is \`MERLOT_\` and the key in capitals, with \`__\` between its parts and \`_\` between words:
\`session.receiveMaximum\` is \`MERLOT_SESSION__RECEIVE_MAXIMUM\`. Entries of a list are counted from 0
(\`MERLOT_LISTENERS__0__PORT=1884\`); a whole list is written as in a file
(\`MERLOT_LISTENERS='[{type: tcp, port: 1884}]'\`). Empty variables count as not set. An unknown name with \`__\` is an
error; one without is only a warning in the log, because Kubernetes sets variables such as \`MERLOT_PORT\` for a service of
the name \`merlot\`.

## Options

\`--set session.receiveMaximum=100\` sets any key and may be repeated; \`--set listeners.0.port=1884\` changes one entry of a
list. Shorter ways exist for what is needed most, and win over \`--set\`:

| option | sets |
|---|---|
| \`--host ADDRESS\` | \`host\` of all listeners except Unix sockets |
| \`--port NUMBER\` | \`port\` of the first \`tcp\` listener; one is added if there is none |
| \`--ws-port NUMBER\` | \`port\` of the first \`ws\` listener; one is added if there is none |
| \`--data FOLDER\` | \`dataDirectory\` |
| \`--shards NUMBER\` | \`threads.shards\` |
| \`--project PROJECT\` | \`lot.project\` |
`

/** The page as it should stand in docs/configuration.md. */
export function configReference(): string {
  const [top, groups] = [new Map<string, KeyNode>(), [] as (readonly [string, KeyNode])[]]
  for (const [name, node] of CONFIG_KEYS.keys) {
    if (node.kind === 'value') top.set(name, node)
    else groups.push([name, node])
  }
  const topSection: Section = { ...CONFIG_KEYS, keys: top }
  return [
    INTRODUCTION,
    '## Top level\n',
    tableOf(topSection, []),
    ...groups.map(([name, node]) => `## ${name}\n\n${introOf(node)}${tableOf(node, [name])}`),
  ].join('\n')
}

function introOf(node: KeyNode): string {
  const doc = node.doc === '' ? '' : `${node.doc}\n`
  if (node.kind !== 'list') return doc === '' ? '' : `${doc}\n`
  return `${doc}A list of ${node.min} to ${node.max} entries. Default: \`${JSON.stringify(node.defaultValue)}\`.\n\n`
}

function tableOf(node: KeyNode, path: readonly string[]): string {
  const rows = [...allKeys(node, path)]
    .filter(([, key]) => key !== node) // the text above the table is about it
    .map(
      ([key, value]) => `| ${[keyOf(key), formsOf(value), defaultOf(value), variableOf(key), value.doc].join(' | ')} |`,
    )
  return ['| key | value | default | environment variable | meaning |', '|---|---|---|---|---|', ...rows, ''].join('\n')
}

/** `listeners[].port` */
function keyOf(path: readonly string[]): string {
  return `\`${path.join('.').replaceAll('.*', '[]')}\``
}

/** The entry is called `N`: `MERLOT_LISTENERS__N__PORT`. */
function variableOf(path: readonly string[]): string {
  return `\`${environmentName(path.map((step) => (step === '*' ? 'N' : step)))}\``
}

function formsOf(node: Value | List): string {
  if (node.kind === 'value') return node.forms.map(formOf).join(', or ')
  return Number.isFinite(node.max) ? `list of ${node.min} to ${node.max} entries` : 'list'
}

function formOf(form: ValueForm): string {
  switch (form.kind) {
    case 'integer':
      return `whole number, ${form.min} to ${form.max}`
    case 'choice':
      return form.values.map((choice) => `\`${choice}\``).join(', ')
    case 'text':
      return 'text'
    case 'boolean':
      return '`true`, `false`'
  }
}

function defaultOf(node: Value | List): string {
  if (node.kind === 'value' && node.required) return 'required'
  const { defaultValue } = node
  if (defaultValue === undefined) return ''
  return `\`${node.kind === 'list' ? JSON.stringify(defaultValue) : String(defaultValue)}\``
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(CONFIG_REFERENCE_FILE, configReference())
