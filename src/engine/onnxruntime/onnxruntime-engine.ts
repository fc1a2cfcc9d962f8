import { env, InferenceSession } from 'onnxruntime-node'
import { cpus, totalmem } from 'node:os'
import { graphToOnnx, type Graph } from '../../architecture/index.ts'
import { chooseDevice } from '../choose-device.ts'
import type { Device, Engine, EngineOptions, ParameterSource } from '../engine.ts'
import { engineError } from './engine-error.ts'
import { onnxruntimeSession } from './onnxruntime-session.ts'
import { weightFiles } from './weight-files.ts'

/**
 * ONNX Runtime on the CPU. Creating a session and running a batch block the thread they are called in, so that this engine belongs
 * into a thread of its own (`threadedEngine`).
 */
export function createEngine(): Engine {
  // What goes wrong is thrown; there is nothing to log besides.
  env.logLevel = 'fatal'
  return {
    name: 'onnxruntime',
    version: env.versions.node ?? env.versions.common,
    devices: () => Promise.resolve([cpu()]),
    async load(graph, parameters, device, options) {
      chooseDevice(device, [cpu()])
      return onnxruntimeSession(graph, await create(graph, parameters, options))
    },
  }
}

const cpu = (): Device => ({ id: 'cpu', description: cpus()[0]?.model.trim() ?? process.arch, memoryBytes: totalmem() })

async function create(
  graph: Graph,
  parameters: ParameterSource,
  { threads }: EngineOptions,
): Promise<InferenceSession> {
  try {
    const { folder, weights } = await weightFiles(graph, parameters)
    return await InferenceSession.create(graphToOnnx(graph, weights), {
      executionProviders: ['cpu'],
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
