/** Acknowledgements from a client: the sender's and the receiver's side of QoS 1 and QoS 2 (§4.3). */
import { PacketType } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { InflightState } from './inflight.js'
import { afterFlush, forget } from './persistence.js'
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
  const state = session.inflight.stateOf(packetId)
  if (state === InflightState.AWAITING_PUBREC || state === InflightState.AWAITING_PUBCOMP) {
    if (state === InflightState.AWAITING_PUBREC) {
      if (reasonCode >= 0x80) {
        finish(shard, session, packetId) // refused: treated as acknowledged [MQTT-4.4.0-2]
        return
      }
      session.inflight.awaitPubcomp(packetId)
    }
    sendPubrel(shard, session, packetId)
    return
  }
  if (reasonCode >= 0x80) return
  const notFound = ReasonCode.PACKET_IDENTIFIER_NOT_FOUND
  shard.outlets[session.thread].ack(session.slot, PacketType.PUBREL, packetId, notFound)
}

/** Once PUBREL is out the client forgets the message: from then on it must not be sent again, whatever happens. */
function sendPubrel(shard: ShardState, session: Session, packetId: number): void {
  const delivery = session.inflight.deliveryOf(packetId)
  const step = (): void => {
    shard.outlets[session.thread].ack(session.slot, PacketType.PUBREL, packetId, ReasonCode.SUCCESS)
  }
  const { record, place } = delivery ?? { record: undefined, place: 0 }
  if (record === undefined) step()
  else afterFlush(shard, session, () => shard.storage.released(record, place, packetId), step)
}

/** Once PUBCOMP is out the client uses the identifier for other messages, which must not be taken for this one. */
function receivePubrel(shard: ShardState, session: Session, packetId: number): void {
  const known = session.awaitingPubrel.delete(packetId)
  if (known) releaseReceived(session)
  const reasonCode = known ? ReasonCode.SUCCESS : ReasonCode.PACKET_IDENTIFIER_NOT_FOUND
  const step = (): void => {
    shard.outlets[session.thread].ack(session.slot, PacketType.PUBCOMP, packetId, reasonCode)
  }
  if (!session.isLogged) step()
  else afterFlush(shard, session, () => shard.storage.deleteReceived({ session: session.number, packetId }), step)
}

/** One of an earlier connection may free a place it never took: that is in the client's favour. */
export function releaseReceived(session: Session): void {
  if (session.received > 0) session.received--
}

/** Frees the identifier, and the place in the quota if it was taken on this connection. */
function finish(shard: ShardState, session: Session, packetId: number): void {
  const delivery = session.inflight.release(packetId)
  if (delivery !== undefined) forget(shard, delivery)
  if (delivery === undefined || delivery.sentOn === session.connection) session.sent--
  if (session.queue.length > 0 || session.resend.length > 0 || session.retainedBacklog !== undefined) {
    shard.pumpLater(session)
  }
}
