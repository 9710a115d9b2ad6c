/** Times and dates of triggers. */

const TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/
const DATE_AND_TIME = /^(\d{2})-(\d{2})-(\d{4}) (\d{2}:\d{2}:\d{2})$/

/** `HH:mm` or `HH:mm:ss`. @returns in words what is wrong */
export function timeProblem(text: string): string | undefined {
  return TIME.test(text) ? undefined : `"${text}" is no time of a day: write "HH:mm" or "HH:mm:ss"`
}

/** A time, or `dd-MM-yyyy HH:mm:ss`. @returns in words what is wrong */
export function momentProblem(text: string): string | undefined {
  const date = DATE_AND_TIME.exec(text)
  if (date === null) {
    return TIME.test(text) ? undefined : `"${text}" is no time: write "HH:mm:ss" or "dd-MM-yyyy HH:mm:ss"`
  }
  const [, day, month, year, time] = date
  const at = new Date(`${year}-${month}-${day}T00:00:00Z`)
  const exists = !Number.isNaN(at.getTime()) && at.getUTCDate() === Number(day)
  return exists ? timeProblem(time) : `The calendar has no ${day}-${month}-${year}`
}
