import { readFileSync } from 'node:fs'

/** What a process has used so far. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number
  /** Resident memory. */
  readonly memoryBytes: number
}

/** Linux reports times to programs in hundredths of a second on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** @returns undefined where the process is gone or there is no /proc */
export function usageOf(pid: number): Usage | undefined {
  try {
    return parseUsage(readFileSync(`/proc/${pid}/stat`, 'latin1'), readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return undefined
  }
}

/** @param stat text of /proc/PID/stat @param status text of /proc/PID/status */
export function parseUsage(stat: string, status: string): Usage | undefined {
  // The name of the program stands in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (!Number.isFinite(ticks) || kibibytes === undefined) return undefined
  return { cpuSeconds: ticks / TICKS_PER_SECOND, memoryBytes: Number(kibibytes) * 1_024 }
}
