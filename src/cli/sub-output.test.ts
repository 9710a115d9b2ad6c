import t from 'tap'
import type { ReceivedMessage } from './client.js'
import { OptionValues } from './command.js'
import { messageFormatter } from './sub-output.js'

function message(payload: Buffer | string): ReceivedMessage {
  return { topic: 'a/\u001bb', payload: Buffer.from(payload as string), qos: 0, retain: false, properties: {} }
}

t.test('a pipe gets the bytes as they came', async (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0x1b])
  t.same(messageFormatter(new OptionValues({}), false)(message(bytes)), Buffer.concat([bytes, Buffer.from('\n')]))
  t.same(messageFormatter(new OptionValues({ verbose: true }), false)(message('x')), Buffer.from('a/\u001bb x\n'))
})

t.test('a terminal gets nothing that moves its cursor', async (t) => {
  const format = messageFormatter(new OptionValues({ verbose: true }), true)
  t.equal(format(message('näh\u001b[2J\u0007')), 'a/\\x1bb näh\\x1b[2J\\x07\n')
  t.equal(format(message('{\n\t"a": 1\n}')), 'a/\\x1bb {\n\t"a": 1\n}\n', 'lines and tabs stay')
  t.equal(format(message(Buffer.from([0xff, 0x00, 0x1b]))), 'a/\\x1bb <3 bytes: ff 00 1b>\n')
  t.match(format(message(Buffer.alloc(1_000, 0xff))), /<1000 bytes: (ff ){32}…>/)
})

t.test('JSON has text or base64', async (t) => {
  const format = messageFormatter(new OptionValues({ json: true }), true)
  t.same(JSON.parse(format(message('')).toString()), {
    topic: 'a/\u001bb',
    qos: 0,
    retain: false,
    payload: '',
    properties: {},
  })
  t.match(JSON.parse(format(message(Buffer.from([0xff]))).toString()), { payloadBase64: '/w==' })
})
