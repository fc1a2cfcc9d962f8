export type {
  ComputeDType,
  Device,
  Engine,
  EngineLacks,
  EngineModule,
  EngineName,
  EngineOptions,
  ParameterData,
  ParameterSource,
  RunResult,
  Session,
} from './engine.ts'
export { batchRows } from './batch-rows.ts'
export { chooseDevice } from './choose-device.ts'
export { chooseOffers, lackingOf, NOTHING, type Offer, type OfferChoice, type Wish } from './choose-offer.ts'
export { engineFailed } from './engine-failed.ts'
export { laneCount, lanedEngine } from './lanes.ts'
export { lazyEngine } from './lazy.ts'
export { threadedEngine, type ThreadedEngine, type ThreadOptions } from './threaded.ts'
