import t from 'tap'
import type { App } from '../../src/app.ts'
import { addressOf } from '../../src/serve/front.ts'

void t.test('an address is said as one writes it in a URL', t => {
  const at = (address: string): string => addressOf({ server: { address: () => ({ address, port: 5001 }) } } as unknown as App)
  t.equal(at('127.0.0.1'), '127.0.0.1:5001')
  t.equal(at('::'), '[::]:5001')
  t.end()
})
