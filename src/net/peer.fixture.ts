/** For tests: where clients come from. */
import { LOCAL } from '../security/security.fixture.js'
import type { PeerDetails } from './peer-details.js'

export const LOCAL_PEER: PeerDetails = { ...LOCAL, port: 49_152, tls: undefined }
