/** How much a line of a run's log matters. */
export type LogLevel = 'info' | 'warning' | 'error'
