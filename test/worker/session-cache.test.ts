import { describe, expect, test } from '@jest/globals'
import { AppError } from '../../src/error.ts'
import { openSessionCache, type LoadedSession } from '../../src/worker/session-cache.ts'

/** Sessions that only tell when they are loaded and closed. */
function recorder() {
  const happened: string[] = []
  const session = (name: string, bytes: number): LoadedSession => ({
    session: {
      lanes: 1,
      run: () => Promise.reject(new Error('not here')),
      [Symbol.asyncDispose]: () => Promise.resolve(void happened.push(`-${name}`)),
    },
    bytes,
    resources: { [Symbol.asyncDispose]: () => Promise.resolve(void happened.push(`files of ${name}`)) },
  })
  const load = (name: string, bytes = 1) => {
    return () => {
      happened.push(`+${name}`)
      return Promise.resolve(session(name, bytes))
    }
  }
  return { happened, load }
}

describe('openSessionCache', () => {
  test('keeps the sessions that were used last', async () => {
    const { happened, load } = recorder()
    const cache = openSessionCache({ sessions: 2, bytes: 100 })
    const use = async (name: string, bytes?: number) => {
      const borrowed = await cache.borrow(name, load(name, bytes))
      await borrowed[Symbol.asyncDispose]()
      return borrowed.warm
    }
    expect(await use('a')).toBe(false)
    expect(await use('b')).toBe(false)
    expect(await use('a')).toBe(true)
    expect(await use('c')).toBe(false)
    expect(happened.splice(0)).toEqual(['+a', '+b', '+c', '-b', 'files of b'])
    expect(await use('d', 100)).toBe(false)
    expect(happened.splice(0)).toEqual(['+d', '-a', 'files of a', '-c', 'files of c'])
    expect(await use('e', 101)).toBe(false)
    expect(happened.splice(0)).toEqual(['+e', '-d', 'files of d', '-e', 'files of e'])
    await use('f')
    await cache[Symbol.asyncDispose]()
    expect(happened).toEqual(['+f', '-f', 'files of f'])
  })

  test('closes what has failed', async () => {
    const { happened, load } = recorder()
    const cache = openSessionCache({ sessions: 2, bytes: 100 })
    const borrowed = await cache.borrow('a', load('a'))
    borrowed.discard()
    await borrowed[Symbol.asyncDispose]()
    expect(happened).toEqual(['+a', '-a', 'files of a'])
    expect((await cache.borrow('a', load('a'))).warm).toBe(false)
  })

  test.each(['ENGINE_FAILED', 'DEVICE_OUT_OF_MEMORY'] as const)('makes room and tries again after %s', async (code) => {
    const { happened, load } = recorder()
    const cache = openSessionCache({ sessions: 2, bytes: 100 })
    await (await cache.borrow('a', load('a')))[Symbol.asyncDispose]()
    let tries = 0
    const full = async () => {
      if (tries++ === 0) throw new AppError(code, 'out of memory')
      return await load('b')()
    }
    await cache.borrow('b', full)
    expect(happened).toEqual(['+a', '-a', 'files of a', '+b'])
    // With nothing to let go, it fails as it is.
    tries = 0
    await expect(cache.borrow('c', full)).rejects.toMatchObject({ code })
    expect(tries).toBe(1)
  })
})
