/**
 * Loaded into every test process (.taprc): tap gives each process that a test starts, and by NODE_OPTIONS each thread too, a
 * loader that coverage needs. Nobody looks at coverage here, a start takes half a second longer with it, and the process
 * that runs Python may not have it at all.
 */
const HOOKS = Symbol.for('process-on-spawn@*:singletonId')

const { listeners } = (globalThis as { [HOOKS]?: { readonly listeners: unknown[] } })[HOOKS] ?? { listeners: [] }
listeners.length = 0
delete process.env.NODE_OPTIONS
