/** How much of something that grows is there, for those who wait for a part of it. */
export interface Watermark {
  /** Resolves when `level` is reached. @throws what it failed with, or Error when it has ended below. */
  readonly reached: (level: number) => Promise<void>
  readonly rise: (level: number) => void
  /** It grows no more. */
  readonly end: () => void
  readonly fail: (error: Error) => void
}

interface Waiting {
  readonly level: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A watermark at 0. */
export function watermark(): Watermark {
  let present = 0
  let failure: Error | null = null
  let ended = false
  let waiting: Waiting[] = []

  const close = (errorOf: (level: number) => Error) => {
    for (const { level, reject } of waiting) reject(errorOf(level))
    waiting = []
  }
  const short = (level: number) => new Error(`${present} bytes came, ${level} were expected`)

  return {
    reached(level) {
      if (level <= present) return Promise.resolve()
      if (failure !== null) return Promise.reject(failure)
      if (ended) return Promise.reject(short(level))
      return new Promise((resolve, reject) => waiting.push({ level, resolve, reject }))
    },
    rise(level) {
      present = level
      const still: Waiting[] = []
      for (const one of waiting)
        if (one.level <= level) one.resolve()
        else still.push(one)
      waiting = still
    },
    end() {
      ended = true
      close(short)
    },
    fail(error) {
      failure = error
      close(() => error)
    },
  }
}
