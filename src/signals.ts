// Which signals mean nothing to this process? Without a listener Node or the system does
// something with each of them: SIGUSR1 opens the debugger's port, the others end the
// process, SIGHUP also where nohup had it ignored.

/** To every command. Before its first line runs, Node still does what it does (docs/configuration.md). */
export const MEANINGLESS = ['SIGUSR1', 'SIGUSR2'] as const
/** To a process that serves, until it says what SIGHUP is for. */
export const MEANINGLESS_TO_SERVERS = ['SIGHUP', 'SIGQUIT'] as const

/** From now on they do nothing by themselves. */
export function ignoreSignals (signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) process.on(signal, () => {})
}
