/** Acknowledgements from a client: the sender's and the receiver's side of QoS 1 and QoS 2 (§4.3). */
import { PacketType } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { InflightState } from './inflight.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'

/** @param type PUBACK, PUBREC, PUBREL or PUBCOMP; hot for PUBACK */
export function receiveAck(
  shard: ShardState,
  session: Session,
  type: number,
  packetId: number,
  reasonCode: number,
): void {
  switch (type) {
    case PacketType.PUBACK:
      // for an unknown identifier there is nothing to say or do; one of a QoS 2 message is no end of it either
      if (session.inflight.stateOf(packetId) === InflightState.AWAITING_PUBACK) finish(shard, session, packetId)
      return
    case PacketType.PUBREC:
      receivePubrec(shard, session, packetId, reasonCode)
      return
    case PacketType.PUBREL:
      receivePubrel(shard, session, packetId)
      return
    case PacketType.PUBCOMP:
      if (session.inflight.stateOf(packetId) === InflightState.AWAITING_PUBCOMP) finish(shard, session, packetId)
      return
  }
}

function receivePubrec(shard: ShardState, session: Session, packetId: number, reasonCode: number): void {
  const outlet = shard.outlets[session.thread]
  switch (session.inflight.stateOf(packetId)) {
    case InflightState.AWAITING_PUBREC:
      if (reasonCode >= 0x80) {
        finish(shard, session, packetId) // refused: treated as acknowledged [MQTT-4.4.0-2]
        return
      }
      session.inflight.awaitPubcomp(packetId)
      outlet.ack(session.slot, PacketType.PUBREL, packetId, ReasonCode.SUCCESS)
      return
    case InflightState.AWAITING_PUBCOMP:
      outlet.ack(session.slot, PacketType.PUBREL, packetId, ReasonCode.SUCCESS)
      return
    default:
      if (reasonCode >= 0x80) return
      outlet.ack(session.slot, PacketType.PUBREL, packetId, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND)
  }
}

function receivePubrel(shard: ShardState, session: Session, packetId: number): void {
  const known = session.awaitingPubrel.delete(packetId)
  if (known) releaseReceived(session)
  const reasonCode = known ? ReasonCode.SUCCESS : ReasonCode.PACKET_IDENTIFIER_NOT_FOUND
  shard.outlets[session.thread].ack(session.slot, PacketType.PUBCOMP, packetId, reasonCode)
}

/** One of an earlier connection may free a place it never took: that is in the client's favour. */
export function releaseReceived(session: Session): void {
  if (session.received > 0) session.received--
}

/** Frees the identifier, and the place in the quota if it was taken on this connection. */
function finish(shard: ShardState, session: Session, packetId: number): void {
  const delivery = session.inflight.release(packetId)
  if (delivery === undefined || delivery.sentOn === session.connection) session.sent--
  if (session.queue.length > 0 || session.resend.length > 0 || session.retainedBacklog !== undefined) {
    shard.pumpLater(session)
  }
}
