import t from 'tap'
import { createSinkLogger, escapeControls, LOG_AREAS, type LogRecord, silentLogger } from './log.js'

t.test('areas have levels of their own', async (t) => {
  const records: LogRecord[] = []
  const logger = createSinkLogger(
    { level: 'info', areas: { session: 'trace', listener: 'error' } },
    (r) => records.push(r),
    () => 7,
  )
  for (const area of ['broker', 'session', 'listener'] as const) {
    const log = logger.area(area)
    log.error('e')
    log.info('i', { clientId: 'c' })
    log.trace('t')
  }
  t.same(
    records.map(({ area, message }) => `${area} ${message}`),
    ['broker e', 'broker i', 'session e', 'session i', 'session t', 'listener e'],
  )
  t.same(records[1], { timeMs: 7, level: 'info', area: 'broker', message: 'i', fields: { clientId: 'c' } })
  t.same(structuredClone(records), records, 'records cross threads')
})

t.test('a level that is off never reaches the sink, and can be asked for', async (t) => {
  const logger = createSinkLogger({ level: 'warn', areas: {} }, (record) => {
    if (record.level === 'debug') t.fail('debug is off')
  })
  logger.debug('no')
  t.equal(logger.isOn('warn'), true)
  t.equal(logger.isOn('info'), false)
  t.equal(logger.area('session'), logger.area('session'), 'loggers of areas are made once')
  for (const area of LOG_AREAS) t.equal(silentLogger.area(area).isOn('error'), false)
})

t.test('control characters are written out', async (t) => {
  t.equal(escapeControls('pump\u001b[31m\r\n7'), 'pump\\x1b[31m\\x0d\\x0a7')
  t.equal(escapeControls('\u202egnp.exe'), '\\u202egnp.exe')
  t.equal(escapeControls('a\\x1bb'), 'a\\\\x1bb', 'an escape can not be forged')
  t.equal(escapeControls('häuser/größe 😀 温度'), 'häuser/größe 😀 温度')
})

t.test('levels change for loggers that somebody holds', async (t) => {
  const lines: string[] = []
  const logger = createSinkLogger({ level: 'info', areas: {} }, ({ area, message }) => lines.push(`${area} ${message}`))
  const session = logger.area('session')
  session.debug('before')
  session.setLevels({ level: 'warn', areas: { session: 'trace' } })
  session.debug('after')
  logger.info('off')
  logger.area('listener').info('off too')
  t.equal(session.isOn('trace'), true)
  t.equal(logger.isOn('info'), false)
  t.same(lines, ['session after'])
})
