/** What clients of MQTT 3.1.1 may not send, and what comes of it. */
import type { TestBroker } from './broker.js'

/** Byte sequences that are no text: a stray byte, a cut one, overlong, a surrogate, beyond the last code point. */
export const NOT_UTF8 = [[0xff], [0x61, 0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]

/** The broker closes the connection of an accepted client without a word. */
export async function expectOffence(broker: TestBroker, offence: Uint8Array): Promise<void> {
  const client = await broker.connect({ version: 4 })
  client.send(offence)
  await client.expectClosed()
}
