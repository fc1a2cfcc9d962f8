import { AppError } from '../error.ts'

/** Whether an engine said that it could not load or execute: another device, or this one with more room, may do. */
export const engineFailed = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === 'ENGINE_FAILED' || error.code === 'DEVICE_OUT_OF_MEMORY')
