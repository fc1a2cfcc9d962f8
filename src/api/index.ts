export { DEFAULT_API_LIMITS, type ApiLimits } from './limits.ts'
export { startApi, type Api, type ApiOptions } from './start-api.ts'
