/** Answers to commands, as JSON that old clients find their words in. */
import { encodeText } from '../base/bytes.js'
import type { InternalPublish, Recipient } from '../contracts/threads.js'
import type { Problem } from './problem.js'

export const OUTPUT_TOPIC = '$SYS/Coreflux/Command/Output'

export interface Reply {
  readonly success: boolean
  readonly message: string
  /** It failed because the sender may not: for the audit trail, not sent. */
  readonly isDenied?: true
  /** Of commands that add or remove one. */
  readonly entity?: { readonly type: string; readonly name: string }
  /** `{}` where left out. */
  readonly data?: unknown
  /** Of a failure; the message alone where left out. */
  readonly errors?: readonly Problem[]
  readonly warnings?: readonly string[]
}

export function success(message: string, more: Omit<Reply, 'success' | 'message'> = {}): Reply {
  return { success: true, message, ...more }
}

export function failure(message: string, more: Omit<Reply, 'success' | 'message'> = {}): Reply {
  return { success: false, message, ...more }
}

/** @param message why the sender may not */
export function denied(message: string): Reply {
  return failure(`Permission denied: ${message}`, { isDenied: true })
}

/**
 * @param command in Pascal case; undefined for one that is not known
 * @param plainText the message alone, for old clients
 * @param recipient undefined for everybody who reads answers
 */
export function encodeReply(
  command: string | undefined,
  requestId: string | undefined,
  reply: Reply,
  plainText: boolean,
  recipient: Recipient | undefined,
): InternalPublish {
  const { message } = reply
  const text = plainText
    ? message
    : JSON.stringify({
        success: reply.success,
        command,
        requestId,
        message,
        entityType: reply.entity?.type,
        entityName: reply.entity?.name,
        data: reply.data ?? {},
        errors: reply.success ? undefined : (reply.errors ?? [{ message }]),
        warnings: reply.warnings ?? [],
      })
  return { topic: OUTPUT_TOPIC, payload: encodeText(text), retain: false, recipient }
}
