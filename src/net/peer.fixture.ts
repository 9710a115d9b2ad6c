/** For tests: where clients come from. */
import type { PeerDetails } from './peer-details.js'

export const LOCAL_PEER: PeerDetails = {
  address: '127.0.0.1',
  port: 49_152,
  listener: 'tcp',
  isLocal: true,
  anonymous: 'local',
  anonymousUser: undefined,
  certificateUser: 'none',
  certificate: undefined,
  tls: undefined,
}
