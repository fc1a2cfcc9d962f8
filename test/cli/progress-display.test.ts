import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import type { Progress } from '../../src/cli/evaluation-request.ts'
import { progressDisplay } from '../../src/cli/progress-display.ts'

/** What was written, and whether it says that it is a terminal. */
class Screen extends Writable {
  text = ''
  readonly isTTY: boolean
  readonly columns = 160
  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }
  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.text += piece.toString()
    done()
  }
  // What cli-progress asks of a terminal (node:readline works on the stream itself).
  cursorTo = (): boolean => true
  clearLine = (): boolean => true
}

const at = (samples: number, more: Partial<Progress> = {}): Progress => ({
  ...{ samples, total: 450, samplesPerSecond: 5000, etaSeconds: 0.05, loss: 0.25, f1: 0.98765 },
  ...more,
})

describe('without a terminal', () => {
  test('lines, at most one a second, and the last one always', () => {
    const screen = new Screen(false)
    const display = progressDisplay(screen, 'multiclass')
    for (let samples = 50; samples <= 450; samples += 50) display.progressed(at(samples))
    display.ended()
    expect(screen.text).toBe(
      'evaluating: 50 of 450 samples, 5,000/s, F1 0.9877\nevaluating: 450 of 450 samples, 5,000/s, F1 0.9877\n',
    )
  })

  test('regression shows its loss', () => {
    const screen = new Screen(false)
    progressDisplay(screen, 'regression').progressed(at(450, { f1: null }))
    expect(screen.text).toBe('evaluating: 450 of 450 samples, 5,000/s, MSE 0.25\n')
  })

  test('only large files are worth a line while they are sent', () => {
    const screen = new Screen(false)
    const display = progressDisplay(screen, 'binary')
    display.uploading('small.pth', 500, 1000)
    display.importing('small.pth')
    display.uploading('large.pth', 2 ** 29, 2 ** 30)
    expect(screen.text).toBe('importing small.pth\n')
    const late = new Screen(false)
    progressDisplay(late, 'binary').uploading('large.pth', 2 ** 29, 2 ** 30)
    expect(late.text).toBe('sending large.pth: 512.0 MiB of 1.0 GiB\n')
  })

  test('of the log, what is more than information', () => {
    const screen = new Screen(false)
    const display = progressDisplay(screen, 'binary')
    display.logged('info', 'bound 12 keys')
    display.logged('warning', 'a key is unused')
    expect(screen.text).toBe('warning: a key is unused\n')
  })
})

test('on a terminal, a bar with running F1, speed and time', () => {
  const screen = new Screen(true)
  const display = progressDisplay(screen, 'multiclass', 'evaluating the sample')
  display.progressed(at(225))
  display.ended()
  expect(screen.text).toContain(
    'evaluating the sample ████████████░░░░░░░░░░░░ 50% F1 0.9877 (225/450, 5,000/s, 0.05 s left)',
  )
})
