/** The two kinds of wrong bytes (§1.2): what cannot be parsed, and what can be parsed but is not allowed. */
import { BrokerError } from '../base/errors.js'

/** For the places that throw it: answered with 0x81 by an MQTT 5 connection, then closed (§4.13.1). */
export function malformed(reason: string): BrokerError<'MALFORMED_PACKET'> {
  return new BrokerError('MALFORMED_PACKET', { reason })
}

/** For the places that throw it: answered with 0x82 by an MQTT 5 connection, then closed (§4.13.1). */
export function protocolError(reason: string): BrokerError<'PROTOCOL_ERROR'> {
  return new BrokerError('PROTOCOL_ERROR', { reason })
}
