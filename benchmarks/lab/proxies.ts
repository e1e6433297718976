// What a user would take instead: HAProxy, which verifies each request's token, in front
// of nginx with the same index as a file. Both are set up to be fast: one process on one
// core, no log, connections kept alive on all sides.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findProgram, freePorts } from '../../test/helpers/processes.ts'
import type { Lab } from './lab.ts'
import { TENANT, type MaybeServer } from './server.ts'
import { PUBLIC_URL, SERVICE, clientToken } from './tokens.ts'

/** nginx beside the load generator, with one file to give. */
export async function startNginx (lab: Lab, body: Buffer): Promise<MaybeServer> {
  const program = await findProgram('nginx')
  if (program === undefined) return { missing: 'nginx is not installed' }
  const folder = await lab.folder()
  const file = join(folder, 'root', TENANT, 'index.yaml')
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, body)
  const [port] = await freePorts(1) as [number]
  await writeFile(join(folder, 'nginx.conf'), [
    'daemon off;', 'master_process off;', `pid ${folder}/pid;`, 'error_log stderr warn;',
    'events { worker_connections 1024; }',
    'http {',
    '  access_log off;', '  sendfile on;', '  tcp_nopush on;', '  open_file_cache max=100;', '  keepalive_requests 1000000000;',
    '  types { application/x-yaml yaml; }',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `  ${name}_temp_path ${folder}/${name};`),
    `  server { listen 127.0.0.1:${port}; root ${folder}/root; }`,
    '}', ''
  ].join('\n'))
  const origin = `http://127.0.0.1:${port}`
  await lab.start([...lab.cores.pin('beside'), program, '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], { readyUrl: origin })
  return { origin, authorization: async () => undefined }
}

/** HAProxy as tested, with every check that its documentation has for tokens: algorithm, signature, issuer, audience, expiry. */
export async function startHaproxy (lab: Lab, upstream: MaybeServer): Promise<MaybeServer> {
  const program = await findProgram('haproxy')
  if (program === undefined) return { missing: 'haproxy is not installed' }
  if ('missing' in upstream) return upstream
  const folder = await lab.folder()
  const [pem, file] = [join(folder, 'token.pem'), join(folder, 'haproxy.cfg')]
  await writeFile(pem, lab.keys.signing.publicKey.export({ type: 'spki', format: 'pem' }))
  const [port] = await freePorts(1) as [number]
  await writeFile(file, [
    'global', '  nbthread 1',
    'defaults', '  mode http', '  timeout client 60s', '  timeout server 60s', '  timeout connect 5s',
    'frontend charts', `  bind 127.0.0.1:${port}`,
    '  http-request set-var(txn.token) http_auth_bearer',
    "  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')",
    "  http-request set-var(txn.iss) var(txn.token),jwt_payload_query('$.iss')",
    "  http-request set-var(txn.aud) var(txn.token),jwt_payload_query('$.aud')",
    "  http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')",
    '  http-request set-var(txn.now) date()',
    '  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }',
    `  http-request deny deny_status 401 unless { var(txn.iss) -m str ${PUBLIC_URL} }`,
    `  http-request deny deny_status 401 unless { var(txn.aud) -m str ${SERVICE} }`,
    `  http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"${pem}") 1 }`,
    '  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }',
    '  default_backend nginx',
    'backend nginx', '  http-reuse always', `  server nginx ${upstream.origin.replace('http://', '')}`, ''
  ].join('\n'))
  const origin = `http://127.0.0.1:${port}`
  await lab.start([...lab.cores.pin('tested'), program, '-db', '-f', file], { readyUrl: origin })
  return { origin, authorization: async () => `Bearer ${await clientToken(lab)}` }
}
