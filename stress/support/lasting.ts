/** Sessions that outlive their connections, which most tests of retransmission and queueing need. */
import type { TestBroker } from './broker.js'
import type { Properties } from './properties.js'

/**
 * CONNECT options of a client whose session stays when the connection ends; the same name resumes the same session.
 * @param properties further ones, or another session expiry interval (default one hour)
 */
export function lasting(broker: TestBroker, name: string, properties: Properties = {}) {
  return {
    clientId: broker.clientIdOf(name),
    cleanStart: false,
    properties: { sessionExpiryInterval: 3_600, ...properties },
  }
}
