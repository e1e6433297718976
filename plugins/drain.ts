// What still runs while the process ends? Lets connections go one by one while whoever
// sends clients here has not noticed yet. Says how much that is when the drain begins,
// lets no connection outlive its request then, and names each request that still runs
// when its time is up.
import fp from 'fastify-plugin'
import { makeLast } from '../src/http/last-words.ts'
import { whatAndWho } from './request-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on each answer is the last of its connection; new ones are taken as before. */
    leave (seconds: number): void
    /** Logs every request that still runs, because the process ends without waiting for it. */
    logCutOff (): void
  }
}

export interface DrainOptions {
  /** Seconds that running requests get. */
  limit: number
}

export default fp<DrainOptions>(async (app, { limit }) => {
  app.addHook('preClose', done => {
    const running = app.running()
    app.log.info({ running: running.length }, `shutting down: no new connections, and running requests get ${limit} s`)
    // Node closes what is idle now, and would wait for what becomes idle later until its keep-alive ends.
    for (const { raw, request } of running) makeLast(raw, request.socket)
    done()
  })
  app.decorate('leave', (seconds: number) => {
    const running = app.running()
    app.log.info({ running: running.length },
      `shutting down in ${seconds} s: clients are served until then, and every answer closes its connection`)
    for (const { raw, request } of running) makeLast(raw, request.socket)
    app.server.prependListener('request', (_request, response) => { response.shouldKeepAlive = false })
  })
  app.decorate('logCutOff', () => {
    for (const { request } of app.running()) {
      request.log.warn(
        { ...whatAndWho(request), decision: 'cut_off' },
        `cut off: it still ran ${limit} s after the signal to stop`
      )
    }
  })
}, { name: 'drain', fastify: '5.x', dependencies: ['running'] })
