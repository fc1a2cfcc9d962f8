import { expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { runGate } from '../../src/worker/inspection/run-gate.ts'

test('what waits for an idle worker waits until nothing was evaluated for a moment', async () => {
  const gate = runGate(50)
  const never = new AbortController().signal
  const changes: boolean[] = []
  const remove = gate.onChange((busy) => changes.push(busy))
  await gate.idle(never)
  const interruption = gate.interruption()
  expect(interruption.aborted).toBe(false)

  let finish = (): void => undefined
  const shard = gate.during(() => new Promise((resolve) => (finish = resolve)))
  expect([interruption.aborted, changes]).toEqual([true, [true]])
  let idle = false
  const waiting = gate.idle(never).then(() => (idle = true))
  finish()
  await shard
  // The next shard of the run comes at once: that is no pause.
  await gate.during(() => delay(60))
  expect([idle, changes]).toEqual([false, [true]])
  await waiting
  expect(changes).toEqual([true, false])
  expect(gate.interruption().aborted).toBe(false)
  remove()
})

test('an evaluation that fails ends too, and an abort ends the waiting', async () => {
  const gate = runGate(20)
  await expect(gate.during(() => Promise.reject(new Error('shard')))).rejects.toThrow('shard')
  const stop = new AbortController()
  stop.abort()
  await gate.idle(stop.signal)
  await gate.idle(new AbortController().signal)
  expect(gate.interruption().aborted).toBe(false)
})
