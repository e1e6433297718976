// Which signals mean nothing to this process? Without a listener Node or the system does
// something with each of them: SIGUSR1 opens the debugger's port, the others end the
// process, SIGHUP also where nohup had it ignored.

/** To every command. */
export const MEANINGLESS = ['SIGUSR1', 'SIGUSR2'] as const
/** To a process that serves, until it says what SIGHUP is for. */
export const MEANINGLESS_TO_SERVERS = ['SIGHUP', 'SIGQUIT'] as const

/** From now on they do nothing by themselves. */
export function ignoreSignals (signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) process.on(signal, () => {})
}

/**
 * Closes the debugger's port that a SIGUSR1 opened before the first line of this program
 * ran, unless somebody asked for one.
 */
export async function closeDebugger (
  options: readonly string[] = [...process.execArgv, String(process.env['NODE_OPTIONS'])]
): Promise<void> {
  const inspector = await import('node:inspector')
  if (inspector.url() !== undefined && !options.some(option => option.includes('--inspect'))) inspector.close()
}
