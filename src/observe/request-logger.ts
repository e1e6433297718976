// What a request writes its lines with: the process's logger and the request's id. Most
// requests write none, and pino's child is the dearest thing that they would make, so it
// is made with the first line.
import type { Logger } from 'pino'

type Bindings = Parameters<Logger['child']>[0]
type Levels = Pick<Logger, 'level' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'>
/** What Fastify and we call every level with. */
type LogCall = [fields: object | string, message?: string]

export class RequestLogger implements Levels {
  private readonly parent: Logger
  private readonly bindings: Bindings
  private own: Logger | undefined

  constructor (parent: Logger, bindings: Bindings) {
    this.parent = parent
    this.bindings = bindings
  }

  private get log (): Logger {
    this.own ??= this.parent.child(this.bindings)
    return this.own
  }

  get level (): string { return this.parent.level }
  fatal (...line: LogCall): void { this.log.fatal(...line) }
  error (...line: LogCall): void { this.log.error(...line) }
  warn (...line: LogCall): void { this.log.warn(...line) }
  info (...line: LogCall): void { this.log.info(...line) }
  debug (...line: LogCall): void { this.log.debug(...line) }
  trace (...line: LogCall): void { this.log.trace(...line) }
  silent (): void {}
  child (bindings: Bindings): Logger { return this.log.child(bindings) }
}
