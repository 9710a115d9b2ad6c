/**
 * When timers are due. Days and times of day are those of the time zone of the process. A time that the
 * clocks skip in spring is due when they have been put forward; one that they show twice in autumn is due the first time.
 */
import type { DaySet, TimeUnit } from '../lot/tree.js'
import type { TimerTrigger } from './plan.js'

const UNIT_MS: Readonly<Record<Exclude<TimeUnit, 'MONTH' | 'YEAR'>, number>> = {
  MILLISECOND: 1,
  SECOND: 1_000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
  WEEK: 604_800_000,
}

const DAY_NUMBERS: Readonly<Record<DaySet, readonly number[]>> = {
  SUNDAY: [0],
  MONDAY: [1],
  TUESDAY: [2],
  WEDNESDAY: [3],
  THURSDAY: [4],
  FRIDAY: [5],
  SATURDAY: [6],
  WEEKDAY: [1, 2, 3, 4, 5],
  WEEKEND: [0, 6],
}

/**
 * The first time that it is due after `nowMs`; what was missed is skipped.
 * @param startMs deployment, or the last run: intervals count from there
 * @returns undefined if it is never due again
 */
export function nextDueMs(trigger: TimerTrigger, startMs: number, nowMs: number): number | undefined {
  switch (trigger.kind) {
    case 'every':
      return nextInterval(trigger.count, trigger.unit, startMs, nowMs)
    case 'days': {
      const time = parseTime(trigger.time.value)
      return time && nextTimeOfDay(DAY_NUMBERS[trigger.days], time, nowMs)
    }
    default:
      return nextTimestamp(trigger.time.value, nowMs)
  }
}

/** Timers whose last run is worth remembering over a restart: the others come again soon. */
export function isLongInterval(trigger: TimerTrigger): boolean {
  return trigger.kind === 'every' && (intervalMs(trigger.count, trigger.unit) ?? Number.POSITIVE_INFINITY) >= 60_000
}

function intervalMs(count: number, unit: TimeUnit): number | undefined {
  return unit === 'MONTH' || unit === 'YEAR' ? undefined : Math.max(1, count * UNIT_MS[unit])
}

function nextInterval(count: number, unit: TimeUnit, startMs: number, nowMs: number): number {
  const interval = intervalMs(count, unit)
  if (interval !== undefined) {
    const passed = Math.max(0, Math.floor((nowMs - startMs) / interval))
    return startMs + (passed + 1) * interval
  }
  const months = count * (unit === 'YEAR' ? 12 : 1)
  let steps = 1
  while (addMonths(startMs, steps * months) <= nowMs) steps++
  return addMonths(startMs, steps * months)
}

/** The same day and time of a later month; its last day where it has no such day. */
function addMonths(fromMs: number, months: number): number {
  const from = new Date(fromMs)
  const month = from.getMonth() + months
  const days = new Date(from.getFullYear(), month + 1, 0).getDate()
  const date = Math.min(from.getDate(), days)
  const time: TimeOfDay = { hours: from.getHours(), minutes: from.getMinutes(), seconds: from.getSeconds() }
  return localMs(from.getFullYear(), month, date, time) + from.getMilliseconds()
}

interface TimeOfDay {
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
}

function parseTime(text: string): TimeOfDay | undefined {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim())
  if (match === null) return undefined
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  return hours < 24 && minutes < 60 && seconds < 60 ? { hours, minutes, seconds } : undefined
}

function nextTimeOfDay(days: readonly number[], time: TimeOfDay, nowMs: number): number | undefined {
  const now = new Date(nowMs)
  for (let ahead = 0; ahead <= 8; ahead++) {
    const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + ahead, 12)
    if (!days.includes(day.getDay())) continue
    const dueMs = localMs(day.getFullYear(), day.getMonth(), day.getDate(), time)
    if (dueMs > nowMs) return dueMs
  }
  return undefined
}

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]

/** `HH:mm:ss` daily, `dd-MM-yyyy HH:mm:ss` once. */
function nextTimestamp(text: string, nowMs: number): number | undefined {
  const match = /^(\d{1,2})-(\d{1,2})-(\d{4})\s+(.+)$/.exec(text.trim())
  const time = parseTime(match?.[4] ?? text)
  if (time === undefined) return undefined
  if (match === null) return nextTimeOfDay(EVERY_DAY, time, nowMs)
  const dueMs = localMs(Number(match[3]), Number(match[2]) - 1, Number(match[1]), time)
  return dueMs > nowMs ? dueMs : undefined
}

function localMs(year: number, month: number, date: number, time: TimeOfDay): number {
  const found = new Date(year, month, date, time.hours, time.minutes, time.seconds)
  const foundMs = found.getTime()
  if (found.getHours() === time.hours && found.getMinutes() === time.minutes) return foundMs
  // there is no such time that day: the moment at which the clocks are put forward lies shortly before
  let before = foundMs - 14_400_000
  let after = foundMs
  const offset = new Date(before).getTimezoneOffset()
  while (after - before > 1_000) {
    const middle = before + Math.floor((after - before) / 2_000) * 1_000
    if (new Date(middle).getTimezoneOffset() === offset) before = middle
    else after = middle
  }
  return after
}
