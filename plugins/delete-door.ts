// Deletes a version, and answers as ChartMuseum does. The client is answered, and what is
// done is logged, when every index is forgotten; also when the client has gone by then.
import fp from 'fastify-plugin'
import type { ChartRequest } from '../src/chartmuseum/chart-request.ts'
import type { Locks } from '../src/lib/locks.ts'
import { GONE } from '../src/upstream/change.ts'
import type { TellChange } from '../src/upstream/changes.ts'
import type { Upstreams } from '../src/upstream/upstreams.ts'
import { createRemover, type Removed } from '../src/upstream/remove.ts'
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
  /** Lets every read from now on show it. */
  changed: TellChange
}

export default fp<DeleteDoorOptions>(async (app, { upstreams, locks, basePath, changed }) => {
  const remover = createRemover(upstreams, locks, basePath)
  leaveBodyUnread(app) // and pass none on
  app.delete('/delete', async (request, reply) => {
    const chartRequest = chartRequestOf(request) as Required<ChartRequest> // the route has both
    const { tenant, tenantPath, chart, version } = chartRequest
    await recordIntent(request)
    const caller = callerOf(request)
    let isSent = false
    let removed: Removed | undefined
    try {
      removed = await remover.remove(chartRequest, caller, () => { isSent = true })
    } finally {
      // also after a failure: nobody knows then what the upstream did
      const isGone = removed !== undefined
      const became = isGone ? GONE : undefined
      if (isSent) await changed({ tenant, tenantPath, chart, version, became, isNew: isGone }, caller)
    }
    await tellChange(reply)
    return await reply.headers(removed.headers).send(removed.body)
  })
}, { name: 'delete-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })
