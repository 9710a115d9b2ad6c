import t from 'tap'
import {
  type BrokerProcess,
  beginMerlot,
  type CommandRun,
  runMerlot,
  spawnMerlot,
  startBrokerProcess,
} from './cli.fixture.js'

t.test('pub and sub against a broker', async (t) => {
  const broker = await startBrokerProcess(t)
  const pub = (...args: string[]) => runMerlot(['pub', '-p', broker.port, ...args])

  t.test('every version, QoS and transport', async (t) => {
    for (const version of ['3.1', '3.1.1', '5']) {
      const sub = await subscribed(broker, '-t', 'hello/+', '-q', '2', '-C', '4', '-v', '--protocol', version)
      for (const qos of ['0', '1', '2']) {
        t.match(await pub('-t', 'hello/tcp', '-m', qos, '-q', qos, '--protocol', version), { exitCode: 0, stderr: '' })
      }
      const byWebSocket = ['--url', broker.webSocketUrl, '-t', 'hello/ws', '-m', 'x', '-q', '1', '--protocol', version]
      t.match(await runMerlot(['pub', ...byWebSocket]), { exitCode: 0 })
      t.equal(await sub.exitCode, 0)
      t.equal(sub.stdout.text, 'hello/tcp 0\nhello/tcp 1\nhello/tcp 2\nhello/ws x\n', version)
    }
  })

  t.test('properties arrive, as JSON', async (t) => {
    const sub = await subscribed(broker, '-t', 'json', '-C', '2', '--json', '-q', '1', '--subscription-id', '7')
    const properties = ['--content-type', 'application/json', '--response-topic', 'answer', '--correlation-data', 'c']
    const more = [
      '--user-property',
      'a=1',
      '--user-property',
      'b=x=y',
      '--user-property',
      'a=2',
      '--payload-format',
      'text',
    ]
    t.match(await pub('-t', 'json', '-m', '{"ä":1}', '-q', '1', ...properties, ...more), { exitCode: 0 })
    const binary = await runMerlot(['pub', '-p', broker.port, '-t', 'json', '-f', 'bytes', '--topic-alias', '1'], {
      workingDirectory: t.testdir({ bytes: Buffer.from([0xff, 0x00]) }),
    })
    t.match(binary, { exitCode: 0 })
    t.equal(await sub.exitCode, 0)
    const [text, bytes] = sub.stdout.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    t.same(text, {
      topic: 'json',
      qos: 1,
      retain: false,
      payload: '{"ä":1}',
      properties: {
        contentType: 'application/json',
        responseTopic: 'answer',
        correlationDataBase64: 'Yw==',
        userProperties: { a: ['1', '2'], b: 'x=y' },
        payloadFormat: 'text',
        subscriptionIdentifier: 7,
      },
    })
    t.match(bytes, { payloadBase64: '/wA=' })
  })

  t.test('retained messages: kept, left out, cleared', async (t) => {
    t.match(await pub('-t', 'kept', '-m', 'old', '-r', '-q', '1'), { exitCode: 0 })
    t.equal((await runMerlot(['sub', '-p', broker.port, '-t', 'kept', '-C', '1'])).stdout, 'old\n')
    for (const version of ['3.1.1', '5']) {
      const sub = await subscribed(broker, '-t', 'kept', '-C', '1', '--no-retained', '--protocol', version)
      t.match(await pub('-t', 'kept', '-m', 'new'), { exitCode: 0 })
      t.equal(await sub.exitCode, 0)
      t.equal(sub.stdout.text, 'new\n', version)
    }
    const flagged = await subscribed(broker, '-t', 'kept', '--retain-as-published', '--json', '-C', '2')
    t.match(await pub('-t', 'kept', '-n', '-r', '-q', '1'), { exitCode: 0 })
    t.equal(await flagged.exitCode, 0)
    t.match(flagged.stdout.text, /"retain":true,"payload":"old".*\n.*"retain":true,"payload":""/)
    const gone = await runMerlot(['sub', '-p', broker.port, '-t', 'kept', '-C', '1', '-W', '1', '--quiet'])
    t.match(gone, { exitCode: 3, stdout: '', stderr: '' })
  })

  t.test('--count takes no message from a session that goes on', async (t) => {
    for (const qos of ['1', '2']) {
      const args = ['sub', '-p', broker.port, '-t', 'jobs', '-q', qos, '-i', `worker-${qos}`, '--no-clean']
      const kept = [...args, '--session-expiry', '1000']
      const first = beginMerlot([...kept, '-C', '1'])
      await first.stderr.find(/subscribed/)
      await runMerlot(['pub', '-p', broker.port, '-t', 'jobs', '-l', '-q', qos], { stdin: '1\n2\n3\n4\n5\n' })
      t.equal(await first.exitCode, 0)
      const second = await runMerlot([...kept, '-C', '2'])
      const third = await runMerlot([...args, '--session-expiry', '0', '-C', '2'])
      t.equal(first.stdout.text + second.stdout + third.stdout, '1\n2\n3\n4\n5\n', `QoS ${qos}`)
    }
  })

  t.test('a will is published when the connection is lost', async (t) => {
    const sub = await subscribed(broker, '-t', 'wills', '-C', '1', '--json', '-q', '1')
    const will = ['--will-topic', 'wills', '--will-message', 'gone', '--will-qos', '1']
    const dying = spawnMerlot(t, ['sub', '-p', broker.port, '-t', 'x', ...will])
    await dying.stderr.find(/subscribed to x/)
    dying.child.kill('SIGKILL')
    t.equal(await sub.exitCode, 0)
    t.match(sub.stdout.text, /"qos":1,.*"payload":"gone"/)
  })

  t.test('SIGINT ends sub in order', async (t) => {
    const sub = spawnMerlot(t, ['sub', '-p', broker.port, '-t', 'x'])
    await sub.stderr.find(/subscribed to x/)
    sub.child.kill('SIGINT')
    t.equal(await sub.exitCode, 0)
  })

  t.test('sub ends when nobody reads its output', async (t) => {
    const sub = spawnMerlot(t, ['sub', '-p', broker.port, '-t', 'unread'])
    await sub.stderr.find(/subscribed to unread/)
    sub.child.stdout?.destroy()
    t.match(await pub('-t', 'unread', '-m', 'x'), { exitCode: 0 })
    t.equal(await sub.exitCode, 0)
    t.equal(sub.stderr.text, 'subscribed to unread\n')
  })

  t.test('what the broker refuses is said with its reason', async (t) => {
    t.match(await pub('-t', '$SYS/x', '-m', 'x', '-q', '1'), {
      exitCode: 1,
      stderr: /refused: not authorized \(0x87\)/,
    })
    t.match(await pub('-t', 'a', '-m', 'x', '--topic-alias', '65535'), {
      exitCode: 1,
      stderr: /topic alias 65535\nuse an alias/,
    })
    t.match(await pub('--path', '/wrong', '--url', broker.webSocketUrl, '-t', 'a', '-m', 'x'), { exitCode: 2 })
    const wrongPath = broker.webSocketUrl.replace(/mqtt$/, 'wrong')
    t.match(await runMerlot(['pub', '--url', wrongPath, '-t', 'a', '-m', 'x']), {
      exitCode: 1,
      stderr: /^merlot: cannot connect to ws:.*\ncheck the path of the WebSocket with --path\n$/,
    })
    const webPort = new URL(broker.webSocketUrl).port
    t.match(await runMerlot(['pub', '-p', webPort, '-t', 'a', '-m', 'x']), {
      exitCode: 1,
      stderr: /: the answer is not MQTT\ndoes this port speak something else, such as WebSocket/,
    })
    t.match(await pub('--tls', '-t', 'a', '-m', 'x'), { exitCode: 1, stderr: /\ndoes this port speak TLS\?\n$/ })
    const taken = await subscribed(broker, '-t', 'a', '-i', 'same')
    const taker = await subscribed(broker, '-t', 'a', '-i', 'same', '-W', '1')
    t.equal(await taken.exitCode, 1)
    t.match(taken.stderr.text, /session taken over \(0x8e\)/)
    t.equal(await taker.exitCode, 0)
  })

  t.test('the end of the broker ends sub with exit code 1', async (t) => {
    const sub = await subscribed(broker, '-t', 'x')
    broker.child.kill('SIGTERM')
    t.equal(await sub.exitCode, 1)
    t.match(sub.stderr.text, /server shutting down \(0x8b\)/)
    t.equal(await broker.exitCode, 0)
    t.match(await pub('-t', 'a', '-m', 'x'), {
      exitCode: 1,
      stderr: `merlot: cannot connect to mqtt://127.0.0.1:${broker.port}: connection refused\nis the broker running? "merlot start" starts one here\n`,
    })
  })
})

async function subscribed(broker: BrokerProcess, ...args: readonly string[]): Promise<CommandRun> {
  const sub = beginMerlot(['sub', '-p', broker.port, ...args])
  await Promise.race([sub.stderr.find(/subscribed to/), sub.exitCode])
  return sub
}
