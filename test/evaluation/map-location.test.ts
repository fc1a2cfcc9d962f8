import { describe, expect, test } from '@jest/globals'
import { checkLocations, mapLocation } from '../../src/evaluation/map-location.ts'

const problem = (location: string, devices: string[]): string => {
  try {
    checkLocations([location], devices)
  } catch (error) {
    expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE' })
    return (error as Error).message
  }
  return ''
}

describe('map_location', () => {
  test('none keeps the tag', () => expect(mapLocation('cuda:0', null)).toBe('cuda:0'))

  test('a string overrides every tag', () => {
    const cpu = { kind: 'device', location: 'cpu' } as const
    expect(['cpu', 'cuda:3', 'mps'].map((tag) => mapLocation(tag, cpu))).toEqual(['cpu', 'cpu', 'cpu'])
  })

  test('a map is looked up exactly, and leaves the tags that it has not', () => {
    const tags = {
      kind: 'tags',
      locations: new Map([
        ['cuda:0', 'cpu'],
        ['cuda', 'meta'],
      ]),
    } as const
    expect(['cuda:0', 'cuda:1', 'cuda'].map((tag) => mapLocation(tag, tags))).toEqual(['cpu', 'cuda:1', 'meta'])
  })
})

// The texts are those of a PyTorch 2.13 without CUDA; test/interop compares them with the one that is there.
describe('locations', () => {
  test('that are there pass', () => {
    checkLocations(['cpu'], ['cpu'])
    checkLocations(['cpu', 'cuda', 'cuda:0', 'cuda:1'], ['cpu', 'cuda:0', 'cuda:1'])
    checkLocations(['mps'], ['cpu', 'mps'])
  })

  test('on CUDA fail without CUDA in PyTorch’s words, with the cure', () => {
    expect(problem('cuda:0', ['cpu'])).toBe(
      'Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. ' +
        "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') " +
        "to map your storages to the CPU. To evaluate it anyway, set mapLocation to 'cpu' (--map-location cpu).",
    )
  })

  test('on a CUDA device that is not there say how many there are', () => {
    expect(problem('cuda:3', ['cpu', 'cuda:0'])).toContain(
      'Attempting to deserialize object on CUDA device 3 but torch.cuda.device_count() is 1. ' +
        'Please use torch.load with map_location to map your storages to an existing device.',
    )
  })

  test.each(['CPU', 'cpu:0', 'cudax', 'foo', ''])('that are none (%p) are refused', (location) => {
    expect(problem(location, ['cpu', 'cuda:0'])).toContain(
      `don't know how to restore data location of torch.storage.UntypedStorage (tagged with ${location})`,
    )
  })

  test.each(['cuda0', 'cuda:x', 'cuda:'])('that only look like a device (%p) are refused', (location) => {
    expect(problem(location, ['cpu', 'cuda:0'])).toContain(`Invalid device string: '${location}'`)
  })

  test('on meta have nothing to evaluate', () => expect(problem('meta', ['cpu'])).toContain('no values'))
  test('on MPS need MPS', () => expect(problem('mps', ['cpu'])).toContain('MPS'))
})
