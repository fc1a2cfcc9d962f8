import { describe, expect, test } from '@jest/globals'
import { classNames } from '../../src/usecase/class-names.ts'
import { DEFAULT_PLATFORM_LIMITS as limits } from '../../src/usecase/limits.ts'

describe('classNames', () => {
  test('numbers the classes when there are no names', () => {
    expect(classNames('BINARY', null, 1, limits)).toEqual(['0', '1'])
    expect(classNames('BINARY', null, 2, limits)).toEqual(['0', '1'])
    expect(classNames('MULTICLASS', [], 3, limits)).toEqual(['0', '1', '2'])
    expect(classNames('MULTILABEL', null, 1, limits)).toEqual(['0'])
    expect(classNames('REGRESSION', null, 5, limits)).toEqual([])
    expect(classNames('REGRESSION', [], 5, limits)).toEqual([])
  })

  test('takes names that fit, without white space around them', () => {
    expect(classNames('BINARY', ['ham', ' spam '], 1, limits)).toEqual(['ham', 'spam'])
    expect(classNames('MULTICLASS', ['a', 'b', 'c'], 3, limits)).toEqual(['a', 'b', 'c'])
  })

  test.each([
    ['BINARY', null, 3, /BINARY takes one logit \(sigmoid\) or two/],
    ['BINARY', ['a', 'b', 'c'], 1, /3 class names were given; a BINARY model has two/],
    ['MULTICLASS', null, 1, /one value for a sample; MULTICLASS takes at least two/],
    ['MULTICLASS', ['a', 'b'], 3, /2 class names were given; the architecture puts out 3 values for a sample, so 3/],
    ['MULTILABEL', ['a'], 2, /1 class names were given.* so 2 are expected/],
    ['MULTICLASS', ['a', 'b', 'a'], 3, /classes 0 and 2 are both named "a"/],
    ['MULTICLASS', ['a', ' '], 2, /the name of class 1 is empty/],
    ['MULTICLASS', ['a', 'b\0'], 2, /the name of class 1 .* control characters/],
    ['MULTICLASS', ['a', '\ud800'], 2, /the name of class 1/],
    ['REGRESSION', ['a'], 1, /a REGRESSION model has no classes; 1 were given/],
  ] as const)('%s %j for %d outputs is refused', (task, given, width, message) => {
    expect(() => classNames(task, given, width, limits)).toThrow(message)
    expect(() => classNames(task, given, width, limits)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
  })

  test('refuses more classes than the limit', () => {
    expect(() => classNames('MULTICLASS', null, 11, { ...limits, classes: 10 })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    )
  })
})
