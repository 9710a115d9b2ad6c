/** A folder of wheels that an administrator fills: what pip finds in an index, here is found without a network. */
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemReason } from '../base/system-error.js'
import { WHEEL_BYTES_MAX } from './wheel.js'
import { parseWheelName, pickWheel, type WantedPackage } from './wheel-name.js'
import { wheelRefused } from './wheel-refused.js'

export interface WheelFile {
  /** Name of the file. */
  readonly file: string
  readonly bytes: Buffer
}

/** @returns undefined if there is none that fits. @throws BrokerError PACKAGE_REFUSED when it cannot be read */
export async function findWheel(folder: string, wanted: WantedPackage): Promise<WheelFile | undefined> {
  const file = pickWheel(await filesOf(folder), wanted)
  return file === undefined ? undefined : { file, bytes: await readWheelFile(join(folder, file)) }
}

/** The newest of each package. @throws BrokerError PACKAGE_REFUSED when they cannot be read */
export async function newestWheels(folder: string): Promise<WheelFile[]> {
  const files = await filesOf(folder)
  const names = new Set(files.map((file) => parseWheelName(file)?.name).filter((name) => name !== undefined))
  const wheels: WheelFile[] = []
  for (const name of names) {
    const wheel = await findWheel(folder, { name, version: undefined })
    if (wheel !== undefined) wheels.push(wheel)
  }
  return wheels
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    throw wheelRefused(`the folder of wheels ${folder} cannot be read: ${systemReason(cause)}`, cause)
  }
}

async function readWheelFile(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw wheelRefused(`the wheel ${path} cannot be read: ${systemReason(cause)}`, cause)
  })
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw wheelRefused(`${path} is no file`)
    if (stat.size > WHEEL_BYTES_MAX) throw wheelRefused(`${path} has more than ${WHEEL_BYTES_MAX} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}
