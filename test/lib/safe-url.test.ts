// Where nobody on the way can change what is read.
import t from 'tap'
import { isLoopback, isLoopbackUrl, isSafeUrl } from '../../src/lib/safe-url.ts'

await t.test('https, and http on this machine alone', async t => {
  for (const url of ['https://x.example', 'https://x.example:8443/keys?v=1', 'http://localhost/keys', 'http://127.0.0.1:80', 'http://127.1.2.3', 'http://[::1]:80/']) t.equal(isSafeUrl(url), true, url)
  for (const url of ['', 'x', 'http://x.example', 'http://10.0.0.1', 'http://localhost.example', 'ftp://127.0.0.1', 'https://u:p@x.example', 'https://x.example/#a', 'https://x.example/ a', 'file:///keys', 'http://[::2]/']) t.equal(isSafeUrl(url), false, url)
  t.equal(isLoopback('127.0.0.1.example'), false)
  t.equal(isLoopbackUrl(new URL('https://[::1]/')), true)
})
