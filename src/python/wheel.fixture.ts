/** For tests: wheels, good ones and others. */
import { createHash } from 'node:crypto'
import { zipSync } from 'fflate'

export interface TestWheel {
  readonly name?: string
  readonly version?: string
  /** Texts by paths. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Lines of METADATA after name and version. */
  readonly metadata?: readonly string[]
  readonly tags?: readonly string[]
  readonly isPure?: boolean
  /** Files that are in the wheel and not in its RECORD, or the other way round; undefined takes one out of the wheel. */
  readonly afterwards?: Readonly<Record<string, string | undefined>>
  /** Changes what is recorded. */
  readonly record?: (text: string) => string
}

export function wheelOf({
  name = 'demo',
  version = '1.0',
  files = { [`${name.replaceAll('-', '_')}.py`]: 'def double(x): return 2 * x\n' },
  metadata = [],
  tags = ['py3-none-any'],
  isPure = true,
  afterwards = {},
  record = (text) => text,
}: TestWheel = {}): Buffer {
  const folder = `${name.replaceAll('-', '_')}-${version}.dist-info`
  const contents: Record<string, Uint8Array> = {}
  const put = (path: string, text: string | Uint8Array): void => {
    contents[path] = Buffer.from(text as string)
  }
  for (const [path, text] of Object.entries(files)) put(path, text)
  put(
    `${folder}/METADATA`,
    ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`, ...metadata, ''].join('\n'),
  )
  const wheel = ['Wheel-Version: 1.0', `Root-Is-Purelib: ${isPure}`, ...tags.map((tag) => `Tag: ${tag}`), '']
  put(`${folder}/WHEEL`, wheel.join('\n'))
  const lines = Object.entries(contents).map(([path, bytes]) => `${path},${hashOf(bytes)},${bytes.length}`)
  put(`${folder}/RECORD`, record([...lines, `${folder}/RECORD,,`, ''].join('\n')))
  for (const [path, text] of Object.entries(afterwards)) {
    if (text === undefined) delete contents[path]
    else put(path, text)
  }
  return Buffer.from(zipSync(contents))
}

export function wheelFile(name: string, version = '1.0', tag = 'py3-none-any'): string {
  return `${name.replaceAll('-', '_')}-${version}-${tag}.whl`
}

function hashOf(bytes: Uint8Array): string {
  return `sha256=${createHash('sha256').update(bytes).digest('base64url')}`
}
