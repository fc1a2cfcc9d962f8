export { graphFromLayers } from './graph-from-layers.ts'
export { LAYER_TYPES } from './table.ts'
