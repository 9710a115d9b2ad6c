/** Files as the trail writes them, so that a test can fill the disk. */
import type { FileHandle } from 'node:fs/promises'

export type TrailHandle = Pick<FileHandle, 'appendFile' | 'truncate' | 'datasync' | 'close'> & {
  stat(): Promise<{ readonly size: number; readonly nlink: number }>
}

/** As `open` of node:fs/promises. */
export type OpenFile = (path: string, flags: string, mode: number) => Promise<TrailHandle>
