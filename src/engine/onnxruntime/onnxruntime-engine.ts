import { env, InferenceSession } from 'onnxruntime-node'
import { graphToOnnx, type Graph } from '../../architecture/index.ts'
import { chooseDevice } from '../choose-device.ts'
import { NOTHING } from '../choose-offer.ts'
import type { Engine, EngineOptions, ParameterSource } from '../engine.ts'
import { findDevices, PROCESSOR, type Provider, type ProvidedDevice } from './devices.ts'
import { engineError } from './engine-error.ts'
import { onnxruntimeSession } from './onnxruntime-session.ts'
import { weightFiles } from './weight-files.ts'

/**
 * ONNX Runtime on the processor, on CUDA and on WebGPU. Creating a session and running a batch block the thread they are called in, so that this engine belongs
 * into a thread of its own (`threadedEngine`).
 */
export function createEngine(): Engine {
  // What goes wrong is thrown; there is nothing to log besides.
  env.logLevel = 'fatal'
  let found: Promise<readonly ProvidedDevice[]> | undefined
  const devices = () => (found ??= findDevices())
  return {
    name: 'onnxruntime',
    version: env.versions.node ?? env.versions.common,
    lacks: NOTHING,
    devices: async () => (await devices()).map(({ provider: _provider, ...device }) => device),
    async load(graph, parameters, device, options) {
      // Lanes of the processor do not look for more, which several threads of a process must not do at once.
      const there = device === 'cpu' ? [PROCESSOR] : await devices()
      const { id } = chooseDevice(device, there)
      const { provider } = there.find((one) => one.id === id)!
      return onnxruntimeSession(graph, await create(graph, parameters, provider, options))
    },
  }
}

async function create(
  graph: Graph,
  parameters: ParameterSource,
  provider: Provider,
  { threads }: EngineOptions,
): Promise<InferenceSession> {
  try {
    const { folder, weights } = await weightFiles(graph, parameters)
    return await InferenceSession.create(graphToOnnx(graph, weights), {
      // What a device lacks, the processor computes: it is always behind.
      executionProviders: [provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // 'parallel' halves the speed: it runs independent nodes at once, at the cost of the threads inside each.
      executionMode: 'sequential',
      enableCpuMemArena: true,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      extra: {
        session: {
          model_external_initializers_file_folder_path: folder,
          // A thread that waits sleeps. By default it spins, and takes the core from whoever reads, counts and answers meanwhile.
          intra_op: { allow_spinning: '0' },
        },
      },
    })
  } catch (error) {
    throw engineError('loading the graph', error)
  }
}
