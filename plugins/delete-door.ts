// Deletes a version, and answers as ChartMuseum does. The client is answered, and what is
// done is logged, when every index is forgotten; also when the client has gone by then.
import fp from 'fastify-plugin'
import type { Locks } from '../src/lib/locks.ts'
import type { Upstreams } from '../src/upstream/upstreams.ts'
import { createRemover } from '../src/upstream/remove.ts'
import { callerOf } from './client.ts'
import { recordIntent } from './request-audit.ts'
import { tellChange } from './request-log.ts'
import { chartRequestOf } from './request-target.ts'
import { leaveBodyUnread } from './unread-body.ts'

export interface DeleteDoorOptions {
  upstreams: Upstreams
  locks: Locks
  /** The path of publicUrl. */
  basePath: string
  /** Lets every index of a tenant be forgotten. */
  changed: (tenant: string) => Promise<void>
}

export default fp<DeleteDoorOptions>(async (app, { upstreams, locks, basePath, changed }) => {
  const remover = createRemover(upstreams, locks, basePath)
  leaveBodyUnread(app) // and pass none on
  app.delete('/delete', async (request, reply) => {
    const chartRequest = chartRequestOf(request)
    await recordIntent(request)
    const { headers, body } = await remover.remove(chartRequest, callerOf(request))
      // also after a failure: nobody knows then what the upstream did
      .finally(async () => { await changed(chartRequest.tenant) })
    await tellChange(reply)
    return await reply.headers(headers).send(body)
  })
}, { name: 'delete-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })
