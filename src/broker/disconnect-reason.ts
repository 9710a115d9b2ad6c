/** Why a network connection ended, as LoT's DISCONNECTREASON tells it (docs/lot/triggers.md). */
import { CloseCause } from '../contracts/records.js'
import { reasonCodeName } from '../mqtt/reason-codes.js'
import type { Session } from './session.js'

/** @returns the name of the specification in one word: `SessionTakenOver` */
export function disconnectReason(reasonCode: number): string {
  return reasonCodeName(reasonCode)
    .split(' ')
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join('')
}

export function closeReason(session: Session, cause: CloseCause): string {
  switch (cause) {
    case CloseCause.DISCONNECTED:
      return session.publishesWillAfterDisconnect ? 'DisconnectWithWillMessage' : 'NormalDisconnection'
    case CloseCause.KEEP_ALIVE:
      return 'KeepAliveTimeout'
    case CloseCause.VIOLATION:
      return 'ProtocolError'
    default:
      return 'ConnectionLost'
  }
}
