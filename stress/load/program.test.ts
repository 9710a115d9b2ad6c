import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import t, { type Test } from 'tap'
import { runProgram } from './program.js'

interface Options {
  readonly jsonFile: string | undefined
}

/** Runs with what is printed caught. */
async function run(
  t: Test,
  jsonFile: string | undefined,
  outcome: () => Promise<{ failures: string[] }>,
  parse = (): Options => ({ jsonFile }),
) {
  let out = ''
  let err = ''
  const catchAll = (take: (text: string) => void) => ({
    value: (text: string) => {
      take(text)
      return true
    },
    writable: true,
    configurable: true,
  })
  const stdout = t.intercept(
    process.stdout,
    'write',
    catchAll((text) => (out += text)),
  )
  const stderr = t.intercept(
    process.stderr,
    'write',
    catchAll((text) => (err += text)),
  )
  const status = await runProgram([], parse, outcome, ({ failures }) => `text of ${failures.length}`)
  stdout.restore()
  stderr.restore()
  return { status, out, err }
}

t.test('exit status 0 for a good run, 1 for a bad one', async (t) => {
  t.same(await run(t, undefined, async () => ({ failures: [] })), { status: 0, out: 'text of 0\n', err: '' })
  t.same(await run(t, undefined, async () => ({ failures: ['x'] })), { status: 1, out: 'text of 1\n', err: '' })
})

t.test('exit status 2 and one line where it could not run', async (t) => {
  const failing = async (): Promise<never> => {
    throw new Error('no broker there')
  }
  t.same(await run(t, undefined, failing), { status: 2, out: '', err: 'error: no broker there\n' })
  const refusing = (): never => {
    throw new RangeError('not both')
  }
  t.same(await run(t, undefined, failing, refusing), { status: 2, out: '', err: 'error: not both\n' })
})

t.test('help is no failure, misuse is; commander has printed both', async (t) => {
  const ending = (status: number) => (): never => {
    throw new CommanderError(status, 'code', 'message')
  }
  const never = async (): Promise<never> => Promise.reject(new Error('ran'))
  t.same(await run(t, undefined, never, ending(0)), { status: 0, out: '', err: '' })
  t.same(await run(t, undefined, never, ending(1)), { status: 2, out: '', err: '' })
})

t.test('the result as JSON, to a file beside the text or to standard output instead of it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'merlot-program-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'report.json')
  const outcome = async () => ({ failures: ['lost'] })
  t.equal((await run(t, file, outcome)).out, 'text of 1\n')
  t.same(JSON.parse(await readFile(file, 'utf8')), { failures: ['lost'] })
  t.same(JSON.parse((await run(t, '-', outcome)).out), { failures: ['lost'] })
})
