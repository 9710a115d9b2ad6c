/** How commands of projects answer. */
import { BrokerError, messageOf } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { hideCredentials } from './git-address.js'
import type { ProjectError, ProjectReply } from './project.js'
import { placeText } from './read-project.js'

export function done(message: string, data: unknown = {}): ProjectReply {
  return { success: true, message, data }
}

/** Puts a sentence before the one that the reply has. */
export function withMessage(reply: ProjectReply, message: string): ProjectReply {
  return { ...reply, message: `${message} ${reply.message}` }
}

/** What is thrown becomes an answer: whoever sent the command is the one who can act on it. */
export async function answered<Reply extends ProjectReply | undefined>(
  run: () => Promise<Reply>,
): Promise<Reply | ProjectReply> {
  try {
    return await run()
  } catch (error) {
    const message = reasonOf(error)
    return { success: false, message, data: {}, errors: [{ message }] }
  }
}

export function reasonOf(error: unknown): string {
  return hideCredentials(error instanceof BrokerError ? messageOf(error) : systemReason(error))
}

/** `plant.lotnb cell 3 line 7: …` */
export function errorText({ file, cell, fileLine, message }: ProjectError): string {
  if (file === undefined) return message
  if (fileLine === undefined) return `${cell === undefined ? file : `${file} cell ${cell}`}: ${message}`
  return `${placeText({ file, cell, line: fileLine })}: ${message}`
}
