import type Sharp from 'sharp'

let loading: Promise<typeof Sharp> | null = null

/** The library for images, loaded when there is one: few servers meet any. */
export function loadSharp(): Promise<typeof Sharp> {
  return (loading ??= import('sharp').then(({ default: sharp }) => {
    // What was decoded is not looked at twice.
    sharp.cache(false)
    return sharp
  }))
}
