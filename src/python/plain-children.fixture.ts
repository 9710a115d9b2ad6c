/**
 * For tests, to be imported before they start processes: tap gives every process a loader, which needs a thread, and the
 * permission model allows none. Processes are started without it from now on.
 */
const HOOKS = Symbol.for('process-on-spawn@*:singletonId')

const { listeners } = (globalThis as { [HOOKS]?: { readonly listeners: unknown[] } })[HOOKS] ?? { listeners: [] }
listeners.length = 0
