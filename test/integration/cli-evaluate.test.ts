import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { shardFiles } from './usecase/shard-files.ts'
import { dataFolder, fixture, nograd, startPlatform, type Outcome, type StartedPlatform } from './cli/nograd.ts'

interface Metric {
  readonly name: string
  readonly average: string | null
  readonly class: string | null
  readonly value: number | null
}
interface Result {
  readonly run: Readonly<Record<string, unknown>> & { readonly id: string }
  readonly metrics: readonly Metric[]
  readonly confusionMatrix: readonly (readonly number[])[]
  readonly classes: readonly string[]
}
interface ExpectedCase {
  readonly samples: number
  readonly metrics: Readonly<Record<string, unknown>> & { readonly confusion: readonly (readonly number[])[] }
}
const expected = (JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as { cases: Record<string, ExpectedCase> })
  .cases

const data = dataFolder()
let platform: StartedPlatform
beforeAll(async () => {
  platform = await startPlatform(data.path)
}, 120_000)
afterAll(async () => {
  await platform.stop()
  data[Symbol.dispose]()
}, 30_000)

const DIGITS = ['--dataset', fixture('digits_test.npz'), '--task', 'multiclass']
const LAYERS = ['--architecture', fixture('digits_cnn.layers.json')]
const CANCER = [
  '--architecture',
  fixture('cancer_mlp.onnx'),
  '--checkpoint',
  fixture('cancer_mlp.pth'),
  '--task',
  'binary',
]
const evaluate = (...args: readonly string[]): Promise<Outcome> => nograd(['evaluate', '--url', platform.url, ...args])
const evaluateJson = async (...args: readonly string[]): Promise<Result> => {
  const { code, stdout, stderr } = await evaluate(...args, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Result
}

describe('the numbers of PyTorch and scikit-learn', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['digits_cnn', [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn.pth')]],
    [
      'digits_cnn',
      [...DIGITS, '--architecture', fixture('digits_cnn.onnx'), '--checkpoint', fixture('digits_cnn.pth')],
    ],
    ['digits_cnn', [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn.safetensors')]],
    ['digits_cnn', [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn_legacy.pth')]],
    ['digits_cnn_epoch1', [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn_epoch1.pth')]],
    ['cancer_mlp', [...CANCER, '--dataset', fixture('cancer_test.csv'), '--label-column', 'target']],
  ]
  const rows = cases.flatMap(([name, args]) => [1, 7, 64, 1000].map((batchSize) => ({ name, batchSize, args })))

  test.each(rows)('$name with batches of $batchSize: $args', async ({ name, batchSize, args }) => {
    const result = await evaluateJson(...args, '--batch-size', String(batchSize))
    const { samples, metrics } = expected[name]!
    expect(result.run).toMatchObject({ status: 'SUCCEEDED', samples, device: 'cpu', engine: 'onnxruntime' })
    expect(result.confusionMatrix).toEqual(metrics.confusion)
    let compared = 0
    for (const metric of result.metrics) {
      const value = expectedValue(metrics, result.classes, metric)
      if (value === undefined) continue
      expect({ ...metric, close: Math.abs(metric.value! - value) <= 1e-6 }).toEqual({ ...metric, close: true })
      compared++
    }
    expect(compared).toBe(name === 'cancer_mlp' ? 9 : 4 + 9 + 10)
  })

  /** What expected.json says of a metric; undefined where it says nothing (precision of each class). */
  function expectedValue(
    metrics: ExpectedCase['metrics'],
    classes: readonly string[],
    metric: Metric,
  ): number | undefined {
    if (metric.class === null)
      return metrics[[metric.name, metric.average].filter(Boolean).join('_')] as number | undefined
    return (metrics[`${metric.name}_perClass`] as readonly number[] | undefined)?.[classes.indexOf(metric.class)]
  }
})

describe('a sharded checkpoint', () => {
  test('goes with the shards that lie next to its index, and is not sent again', async () => {
    const index = await shardedDigits('whole')
    const first = await evaluateJson(...DIGITS, ...LAYERS, '--checkpoint', index)
    expect(first.confusionMatrix).toEqual(expected['digits_cnn']!.metrics.confusion)
    const again = await evaluate(...DIGITS, ...LAYERS, '--checkpoint', index)
    expect({ code: again.code, stderr: again.stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringContaining('sending'),
    })
  })

  test('without one of them is wrong usage, before anything is sent', async () => {
    const index = await shardedDigits('part')
    unlinkSync(join(data.path, 'part', 'model-7.safetensors'))
    const { code, stderr } = await evaluate(...DIGITS, ...LAYERS, '--checkpoint', index)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('model-7.safetensors') })
  })

  async function shardedDigits(name: string): Promise<string> {
    const folder = join(data.path, name)
    mkdirSync(folder)
    for (const [file, bytes] of Object.entries(await shardFiles('digits_cnn.safetensors')))
      writeFileSync(join(folder, file), bytes)
    return join(folder, 'model.safetensors.index.json')
  }
})

describe('what is printed', () => {
  const args = [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn.pth')]

  test('--json: one object of just the promised shape', async () => {
    const result = await evaluateJson(...args)
    expect(Object.keys(result)).toEqual(['run', 'metrics', 'slices', 'confusionMatrix', 'classes'])
    expect(result.run).toEqual({
      id: expect.stringMatching(/^run_[0-9a-f-]{36}$/),
      ...{ status: 'SUCCEEDED', samples: 450, device: 'cpu', engine: 'onnxruntime' },
      durationMs: expect.any(Number),
      samplesPerSecond: expect.any(Number),
    })
    expect(result.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    for (const metric of result.metrics)
      expect(Object.keys(metric)).toEqual(['name', 'average', 'class', 'value', 'interval'])
  })

  test('a table on stdout, progress with F1 on stderr', async () => {
    const { code, stdout, stderr } = await evaluate(...args, '--name', 'nightly')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^nightly SUCCEEDED: 450 samples in .* on cpu with onnxruntime · run_/)
    expect(stdout).toMatch(/^accuracy +0\.988889 +0\.9743 … 0\.9952$/m)
    expect(stdout).toMatch(/^true \\ predicted +0 +1 +2/m)
    expect(stderr).toMatch(/^evaluating: 450 of 450 samples, [\d,]+\/s, F1 0\.9891$/m)
  })

  test('class names and a threshold', async () => {
    const options = [
      '--dataset',
      fixture('cancer_test.csv'),
      '--label-column',
      'target',
      '--classes',
      'malignant,benign',
    ]
    const loose = await evaluateJson(...CANCER, ...options, '--threshold', '0')
    expect(loose.classes).toEqual(['malignant', 'benign'])
    expect(loose.confusionMatrix).toEqual([
      [0, 64],
      [0, 107],
    ])
  })

  test('nograd runs lists it, and finds the platform by the data folder', async () => {
    const env = { NOGRAD_DATA_DIR: data.path }
    const { code, stdout, stderr } = await nograd(['runs', '--json', '--limit', '100'], env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { runs } = JSON.parse(stdout) as {
      runs: readonly { name: string | null; status: string; model: { name: string } }[]
    }
    // Newest first: one run came after it.
    expect(runs.findIndex(({ name }) => name === 'nightly')).toBe(1)
    const table = await nograd(['runs'], env)
    expect(table.stdout).toMatch(/nightly +SUCCEEDED +digits_cnn-multiclass-[0-9a-f]{12} .* 450 +F1 0\.989126 /)
  })

  test('the same files again are the same model, checkpoint and dataset', async () => {
    const ask = async (): Promise<unknown> => {
      const query =
        '{ models(first: 100) { nodes { id } } checkpoints(first: 100) { nodes { id } } datasets(first: 100) { nodes { id } } }'
      const response = await fetch(`${platform.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      })
      return response.json()
    }
    const before = await ask()
    await evaluateJson(...args)
    expect(await ask()).toEqual(before)
  })

  test('two at once evaluate a new file', async () => {
    const fresh = join(data.path, 'fresh.layers.json')
    writeFileSync(fresh, `${readFileSync(fixture('digits_cnn.layers.json'), 'utf8')}  \n`)
    const one = ['--architecture', fresh, '--checkpoint', fixture('digits_cnn.pth'), ...DIGITS, '--json']
    const outcomes = await Promise.all([evaluate(...one), evaluate(...one)])
    expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ])
  })
})

describe('keys and locations', () => {
  test('a checkpoint of DataParallel: the cure is named, and works', async () => {
    const args = [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn_dataparallel.pth')]
    const refused = await evaluate(...args)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('--strip-prefix module.')
    expect(refused.stderr).toContain('[BINDING_FAILED]')
    const result = await evaluateJson(...args, '--strip-prefix', 'module.')
    expect(result.confusionMatrix).toEqual(expected['digits_cnn']!.metrics.confusion)
  })

  test('a checkpoint of a GPU', async () => {
    const args = [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn_cuda0.pth'), '--map-location', 'cuda:0=cpu']
    expect((await evaluateJson(...args)).confusionMatrix).toEqual(expected['digits_cnn']!.metrics.confusion)
  })
})

describe('failures', () => {
  const good = [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn.pth')]
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(data.path, name)
    writeFileSync(path, content)
    return path
  }
  const failed = async (args: readonly string[]): Promise<{ readonly code: string; readonly message: string }> => {
    const outcome = await evaluate(...args, '--json')
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code: 1, stdout: '' })
    const parsed = JSON.parse(outcome.stderr) as { error: { code: string; message: string } }
    expect(Object.keys(parsed)).toEqual(['error'])
    return parsed.error
  }

  test.each([
    ['a whole module', () => fixture('digits_cnn_full_model.pth'), 'CHECKPOINT_WHOLE_MODULE', /state_dict/],
    [
      'a page of HTML',
      () => file('page.pth', '<!DOCTYPE html><html><body>404</body></html>'),
      'CHECKPOINT_UNKNOWN_FORMAT',
      /HTML/,
    ],
    ['an empty file', () => file('empty.pth', ''), 'CHECKPOINT_UNKNOWN_FORMAT', /empty/],
    [
      'half a file',
      () => file('half.pth', readFileSync(fixture('digits_cnn.pth')).subarray(0, 80_000)),
      'CHECKPOINT_CORRUPT',
      /./,
    ],
  ] as const)('a checkpoint that is %s', async (_what, path, code, message) => {
    const error = await failed([...DIGITS, ...LAYERS, '--checkpoint', path()])
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  test('layers that are none', async () => {
    const architecture = file('odd.layers.json', '{"layers": [{"type": "Telepathy"}], "input": [1, 8, 8]}')
    const error = await failed([...DIGITS, '--architecture', architecture, '--checkpoint', fixture('digits_cnn.pth')])
    expect(error).toMatchObject({
      code: 'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      message: expect.stringContaining('Telepathy'),
    })
  })

  test('a ragged line of a CSV', async () => {
    const dataset = file('ragged.csv', 'a,b,target\n1,2,0\n1,2,3,1\n')
    const error = await failed([...CANCER, '--dataset', dataset, '--label-column', 'target'])
    expect(error.code).toBe('DATASET_CORRUPT')
    expect(error.message).toMatch(/line 3/)
  })

  test('data that does not fit the input', async () => {
    const error = await failed([...CANCER, '--dataset', fixture('digits_test.npz')])
    expect(error.code).toBe('DATASET_SHAPE_MISMATCH')
  })

  test('an unknown device', async () => {
    const error = await failed([...good, '--device', 'cuda:7'])
    expect(error.code).toBe('DEVICE_UNAVAILABLE')
    expect(error.message).toContain('cuda:7')
  })

  test('an unknown run', async () => {
    const { code, stderr } = await nograd([
      'cancel',
      'run_00000000-0000-0000-0000-000000000000',
      '--url',
      platform.url,
      '--json',
    ])
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })

  test('a run that has ended stays as it is', async () => {
    const { run } = await evaluateJson(...good)
    const { code, stdout } = await nograd(['cancel', run.id, '--url', platform.url])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${run.id} SUCCEEDED\n` })
  })

  test('nobody at the address, or somebody else', async () => {
    const nobody = await nograd(['runs', '--url', 'http://127.0.0.1:9', '--json'])
    expect(nobody.code).toBe(1)
    expect(JSON.parse(nobody.stderr)).toMatchObject({ error: { code: 'PLATFORM_UNREACHABLE' } })
    const other = await nograd(['runs', '--url', `${platform.url}/healthz`, '--json'])
    expect(other.code).toBe(1)
    expect(JSON.parse(other.stderr)).toMatchObject({
      error: { code: expect.stringMatching(/^(PLATFORM_PROTOCOL|NOT_FOUND)$/) },
    })
  })
})

describe('wrong usage ends with 2', () => {
  const good = [...DIGITS, ...LAYERS, '--checkpoint', fixture('digits_cnn.pth')]
  test.each([
    [['evaluate']],
    [['evaluate', ...good, '--batch-size', '0']],
    [['evaluate', ...good, '--batch-size', 'many']],
    [['evaluate', ...good, '--threshold', '2']],
    [['evaluate', ...good, '--unheard-of']],
    [['evaluate', ...good, '--url', 'localhost']],
    [['evaluate', ...DIGITS.slice(0, 2), ...LAYERS, '--checkpoint', fixture('digits_cnn.pth'), '--task', 'guessing']],
    [['evaluate', ...DIGITS, ...LAYERS, '--checkpoint', fixture('none.pth')]],
    [['evaluate', ...DIGITS, ...LAYERS, '--checkpoint', fixture('.')]],
    [['unheard-of']],
    [['cancel']],
    [[]],
  ])('%j', async (args) => {
    const plain = await nograd(args)
    expect({ code: plain.code, stdout: plain.stdout }).toEqual({ code: 2, stdout: '' })
    expect(plain.stderr).not.toBe('')
    expect(plain.stderr).not.toMatch(/^ +at /m)
    if (args.length === 0) return
    const json = await nograd([...args, '--json'])
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stderr)).toEqual({ error: { code: 'USAGE', message: expect.any(String) } })
  })
})

test.each([
  ['--help'],
  ['start', '--help'],
  ['evaluate', '--help'],
  ['runs', '--help'],
  ['cancel', '--help'],
  ['api', '--help'],
  ['worker', '--help'],
])('help: %s %s', async (...args) => {
  const { code, stdout, stderr } = await nograd(args.filter((arg) => (arg as string | undefined) !== undefined))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: nograd/)
  if (args[0] !== 'api' && args[0] !== 'worker') expect(stdout).toContain('Examples:')
})

test('the version', async () => {
  const { version } = JSON.parse(readFileSync(join(fixture('..'), '..', 'package.json'), 'utf8')) as { version: string }
  expect(await nograd(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})
