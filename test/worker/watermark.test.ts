import { describe, expect, test } from '@jest/globals'
import { watermark } from '../../src/worker/blob-cache/watermark.ts'

describe('watermark', () => {
  test('lets those through whose level is reached, and keeps the others waiting', async () => {
    const mark = watermark()
    const passed: number[] = []
    const waits = [10, 30, 20].map((level) => mark.reached(level).then(() => passed.push(level)))
    mark.rise(20)
    await new Promise(setImmediate)
    expect(passed).toEqual([10, 20])
    mark.rise(30)
    await Promise.all(waits)
    await mark.reached(30)
  })

  test('refuses a level above its end, asked for before or after', async () => {
    const mark = watermark()
    const before = mark.reached(11)
    mark.rise(10)
    mark.end()
    await expect(before).rejects.toThrow('10 bytes came, 11 were expected')
    await expect(mark.reached(11)).rejects.toThrow('10 bytes came, 11 were expected')
    await mark.reached(10)
  })

  test('tells its failure to everybody who needs more than there is', async () => {
    const mark = watermark()
    const before = mark.reached(11)
    mark.rise(10)
    mark.fail(new Error('the line is cut'))
    await expect(before).rejects.toThrow('the line is cut')
    await expect(mark.reached(11)).rejects.toThrow('the line is cut')
    await mark.reached(10)
  })
})
