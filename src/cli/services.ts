import type { ProgressStream } from './progress-display.ts'

/** A platform that a command works with; disposed when the command has ended. */
export interface LocalPlatform extends AsyncDisposable {
  readonly url: string
}

/** What the command line needs of its surroundings; given by the composition root. */
export interface CliServices {
  /**
   * The running platform of a data folder, or one that is started and stops again when nobody uses it.
   * @param dataDir the default folder when undefined
   * @param say told what is going on, for people
   */
  readonly localPlatform: (dataDir: string | undefined, say: (line: string) => void) => Promise<LocalPlatform>
  readonly stdout: ProgressStream
  readonly stderr: ProgressStream
  /** Called with the exit code when a command has ended. */
  readonly exit: (code: number) => void
}
