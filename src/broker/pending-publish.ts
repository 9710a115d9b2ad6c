/** A PUBLISH with QoS 1 or 2 whose acknowledgement waits: for other shards, or behind one that does. */
import type { ReasonCode } from '../mqtt/reason-codes.js'
import type { Session } from './session.js'

export class PendingPublish {
  accepted = 0
  refused = 0
  isSettled = false
  /** Under which several shards write it to the store; 0 where none or one does. */
  together = 0
  /** Records that they have written. */
  records = 0
  /** Answers still to come: of the other shards together, of the storage. */
  awaited = 0
  /** Where it is certain whatever other shards say. */
  reasonCode: ReasonCode | undefined = undefined
  /** Called once, when all answers are there. */
  onSettled: () => void = () => {}
  /** Of the session, on which it came. */
  readonly connection: number

  constructor(
    readonly session: Session,
    readonly packetId: number,
    readonly qos: number,
  ) {
    this.connection = session.connection
  }

  /** @param refused as in `ShardState`: `REFUSED_FOR_ROOM` weighs more than whoever accepted */
  count(accepted: number, refused: number): void {
    this.accepted += accepted
    this.refused += refused
  }

  /** One of the awaited answers has come. */
  settle(): void {
    this.awaited--
    if (this.awaited > 0) return
    this.isSettled = true
    this.onSettled()
  }
}
