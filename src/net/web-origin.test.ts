import t from 'tap'
import { originProblem } from './web-origin.js'

t.test('which pages may connect', async (t) => {
  for (const [origin, host, allowed, isLocal, wanted] of [
    [undefined, 'plant.example:5000', [], false, undefined],
    [undefined, 'plant.example:5000', ['https://a.example'], false, undefined],
    ['http://plant.example', 'plant.example:5000', [], false, undefined],
    ['https://plant.example:8443', 'PLANT.example', [], false, undefined],
    ['http://[::1]:8080', '[::1]:5000', [], true, undefined],
    ['http://localhost:8080', 'localhost:5000', [], true, undefined],
    ['http://127.0.0.1:8080', '127.0.0.1:5000', [], true, undefined],
    ['http://192.0.2.7', '192.0.2.7:5000', [], true, undefined],
    ['https://evil.example', 'plant.example', [], false, /other hosts/],
    ['https://plant.example.evil.example', 'plant.example', [], false, /other hosts/],
    ['https://evil.example', undefined, [], false, /other hosts/],
    ['null', 'plant.example', [], false, /other hosts/],
    ['', '', [], false, /other hosts/],
    ['file://', '', [], false, /other hosts/],
    ['http://evil.example', 'evil.example:5000', [], true, /host with a name/],
    ['http://evil.example', 'evil.example:5000', ['http://evil.example'], true, undefined],
    ['https://a.example', 'plant.example', ['https://a.example'], false, undefined],
    ['http://a.example', 'plant.example', ['https://a.example'], false, /this origin/],
    ['https://a.example:444', 'plant.example', ['https://a.example'], false, /this origin/],
    ['https://plant.example', 'plant.example', ['https://a.example'], false, /this origin/],
    ['null', 'plant.example', ['*'], true, undefined],
  ] as const) {
    const problem = originProblem(origin, host, allowed, isLocal)
    if (wanted === undefined) t.equal(problem, undefined, `${origin} to ${host}`)
    else t.match(problem, wanted, `${origin} to ${host}`)
  }
})
