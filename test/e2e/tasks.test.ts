import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { graphToOnnx } from '../../src/architecture/index.ts'
import { graph, node, parameter, value } from '../engine/graphs.ts'
import { graphql } from '../integration/api/client.ts'
import { upload, uploadFixture } from '../integration/api/upload.ts'
import { fixture } from '../integration/cli/nograd.ts'
import { safetensorsFile } from '../integration/usecase/safetensors-file.ts'
import { findChromium, shoot, violations } from './browser.ts'
import { openStage, type Stage } from './stage.ts'

// What the pages of a run show for the tasks that are not MULTICLASS, of runs that clients of the API have started.

const chromium = findChromium()

interface Answer {
  readonly id: string
}
interface Named extends Answer {
  readonly name: string
}
interface Payload {
  readonly errors: readonly { readonly message: string }[]
  readonly [object: string]: unknown
}
interface Task {
  readonly task: string
  readonly classes?: readonly string[]
  readonly architecture: Readonly<Record<string, unknown>>
  /** An upload. */
  readonly weights: string
  /** An upload. */
  readonly data: string
  readonly columns: Readonly<Record<string, unknown>>
}

;(chromium === null ? describe.skip : describe)('runs of every task', () => {
  let stage: Stage
  let platform: Stage['platform']
  let page: Stage['page']
  beforeAll(async () => {
    stage = await openStage(chromium!)
    ;({ platform, page } = stage)
  }, 240_000)
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
  }, 60_000)

  /** Does a mutation, and gives the id of what it has made. */
  async function make(mutation: string, object: string, input: Readonly<Record<string, unknown>>): Promise<string> {
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`
    const query = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${object} { id } errors { message } } }`
    const answer = await graphql(platform.url, query, { input })
    expect(answer.errors).toBeUndefined()
    const payload = (answer.data as Readonly<Record<string, Payload>>)[mutation]!
    expect(payload.errors).toEqual([])
    return (payload[object] as Answer).id
  }

  /** Makes all that a run needs, starts it, and waits in its page until it has ended. */
  async function evaluated({ task, classes, architecture, weights, data, columns }: Task): Promise<string> {
    const modelId = await make('createModel', 'model', { name: task, task, classes, architecture })
    const checkpointId = await make('createCheckpoint', 'checkpoint', { modelId, uploadId: weights, name: task })
    const datasetId = await make('createDataset', 'dataset', { name: task, uploadId: data, ...columns })
    const id = await make('startRun', 'run', { checkpointId, datasetId, name: task })
    await page.goto(`/runs/${id}`)
    await page.getByRole('heading', { name: task, level: 1 }).waitFor()
    await page.locator('[data-metric]').first().waitFor({ timeout: 60_000 })
    return id
  }
  const linear = (weights: readonly (readonly number[])[]): Promise<string> => {
    const shape = [weights.length, weights[0]!.length]
    const tensor = { dtype: 'float32', shape, data: Float32Array.from(weights.flat()) } as const
    return upload(platform.url, 'linear.safetensors', safetensorsFile({ '0.weight': tensor }))
  }
  const shown = async (metric: string): Promise<number> =>
    Number(
      await page.locator(`[data-metric=${metric}]:not([data-average=macro]) [data-value]`).getAttribute('data-value'),
    )
  async function looked(at: string): Promise<void> {
    await shoot(page, at)
    expect(await violations(page)).toEqual([])
  }
  const choiceOf = (label: string) => page.getByRole('combobox', { name: label }).or(page.getByLabel(label)).first()
  const openTab = (name: string): Promise<void> => page.getByRole('tab', { name }).click()

  test('BINARY: scikit-learn’s metrics, one curve, both sides of the matrix', async () => {
    await evaluated({
      task: 'BINARY',
      classes: ['malignant', 'benign'],
      architecture: { uploadId: await uploadFixture(platform.url, 'cancer_mlp.onnx') },
      weights: await uploadFixture(platform.url, 'cancer_mlp.pth'),
      data: await uploadFixture(platform.url, 'cancer_test.csv'),
      columns: { labelColumn: 'target' },
    })
    const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as {
      readonly cases: {
        readonly cancer_mlp: {
          readonly metrics: Readonly<Record<string, number>> & { readonly confusion: readonly (readonly number[])[] }
        }
      }
    }
    const { confusion, ...metrics } = expected.cases.cancer_mlp.metrics
    for (const name of ['accuracy', 'precision', 'recall', 'f1', 'mcc', 'rocAuc'])
      expect(await shown(name)).toBeCloseTo(metrics[name] as number, 7)
    await looked('binary')
    await openTab('Classes')
    const cells = page.getByRole('table', { name: 'Cells of the confusion matrix' })
    await cells.waitFor()
    const right = cells.getByRole('row').filter({ hasText: /^benignbenign/ })
    expect(await right.getByRole('link').textContent()).toBe(String(confusion[1]![1]))
    await looked('binary-classes')
    const wrong = cells.getByRole('row').filter({ hasText: /^malignantbenign/ })
    await wrong.getByRole('link').click()
    await page.getByText(`${confusion[0]![1]} samples, ${confusion[0]![1]} shown`).waitFor()
    await looked('binary-samples')
    await openTab('Curves')
    await page.getByRole('img', { name: /^ROC curves of/ }).waitFor()
    const [negatives, positives] = confusion.map((row) => row.reduce((sum, each) => sum + each, 0))
    const scores = `Probabilities that ${positives} samples of benign got, and ${negatives} others`
    await page.getByRole('img', { name: scores }).waitFor()
    // The threshold that the run had gives the run's own numbers.
    for (const name of ['precision', 'recall', 'f1'])
      expect(
        Number(await page.locator(`[data-threshold-metric=${name}] [data-value]`).getAttribute('data-value')),
      ).toBeCloseTo(metrics[name]!, 12)
    await looked('binary-curves')
  }, 120_000)

  test('MULTILABEL: a matrix for each label, whose cells lead to samples', async () => {
    await evaluated({
      task: 'MULTILABEL',
      classes: ['up', 'down'],
      architecture: {
        layers: { layers: [{ type: 'Linear', in_features: 1, out_features: 2, bias: false }], input: [1] },
      },
      weights: await linear([[1], [-1]]),
      // Answered are [up], [down], [up], [down].
      data: await upload(platform.url, 'labels.csv', 'x,up,down\n3,1,0\n-3,1,1\n2,1,1\n-1,0,1\n'),
      columns: { labelColumn: 'up,down' },
    })
    expect(await shown('accuracy')).toBe(0.5)
    await looked('multilabel')
    await openTab('Classes')
    const cells = page.getByRole('table', { name: 'Cells of the confusion matrix' })
    await cells.waitFor()
    const missed = cells.getByRole('row').filter({ hasText: /^upnot up/ })
    await looked('multilabel-classes')
    await missed.getByRole('link').click()
    await page.getByText('1 samples, 1 shown').waitFor()
    await page.getByRole('article', { name: 'Sample 1', exact: true }).getByText('up, down').waitFor()
    await looked('multilabel-samples')
    await openTab('Curves')
    await page.getByRole('img', { name: /^ROC curves of up, down/ }).waitFor()
    await looked('multilabel-curves')
  }, 120_000)

  test('REGRESSION: errors and no classes', async () => {
    await evaluated({
      task: 'REGRESSION',
      architecture: {
        layers: { layers: [{ type: 'Linear', in_features: 1, out_features: 1, bias: false }], input: [1] },
      },
      weights: await linear([[2]]),
      data: await upload(platform.url, 'line.csv', 'x,label\n1,2\n2,5\n3,6\n4,5\n'),
      columns: { labelColumn: 'label' },
    })
    // Errors 0, -1, 0, 3.
    expect(await shown('mse')).toBe(10 / 4)
    expect(await shown('mae')).toBe(1)
    expect(await shown('r2')).toBeCloseTo(1 - 10 / 9, 12)
    expect(await page.getByRole('tab', { name: /Classes|Curves/ }).count()).toBe(0)
    await looked('regression')
    await openTab('Samples')
    await page.getByText('said 8, true 5').waitFor()
    await looked('regression-samples')
    await openTab('Course')
    await page
      .getByRole('img', { name: /over the samples so far/ })
      .first()
      .waitFor()
    await looked('regression-course')
    await page.goto('/runs?order=rmse')
    await page.getByRole('table', { name: 'Runs' }).getByText('REGRESSION').first().waitFor()
  }, 120_000)

  test('what is older than the newest hundred can be chosen, too', async () => {
    const answer = await graphql(platform.url, '{ datasets { nodes { id name } } checkpoints { nodes { id name } } }')
    const { datasets, checkpoints } = answer.data as Record<
      'datasets' | 'checkpoints',
      { readonly nodes: readonly Named[] }
    >
    const idOf = (nodes: readonly Named[]): string => nodes.find(({ name }) => name === 'REGRESSION')!.id
    const [dataset, checkpoint] = [idOf(datasets.nodes), idOf(checkpoints.nodes)]
    for (let i = 0; i < 101; i++) {
      const uploadId = await upload(platform.url, 'line.csv', `x,label\n${i},1\n`)
      await make('createDataset', 'dataset', { name: `many ${i}`, uploadId, labelColumn: 'label' })
    }
    await page.goto(`/runs?dataset=${dataset}`)
    await page.getByText('1 run', { exact: true }).waitFor()
    const chosen = page.getByLabel('Dataset').locator('option:checked')
    await chosen.filter({ hasText: 'REGRESSION v1' }).waitFor({ state: 'attached' })
    // Named by the address, and found by typing.
    await page.goto(`/start?checkpoint=${checkpoint}&dataset=${dataset}`)
    const choice = choiceOf('Dataset')
    await expectValue('REGRESSION v1 (4 samples)')
    await page.goto(`/start?checkpoint=${checkpoint}`)
    await expectValue('many 100 v1 (1 samples)')
    await choice.fill('regress')
    await page.getByRole('option', { name: 'REGRESSION v1 (4 samples)' }).click()
    await page.getByRole('button', { name: 'Start the run' }).click()
    await page.locator('[data-metric=mse]').waitFor({ timeout: 60_000 })
    expect(await shown('mse')).toBe(10 / 4)

    async function expectValue(text: string): Promise<void> {
      for (let tries = 0; (await choice.inputValue()) !== text && tries < 100; tries++) await page.waitForTimeout(50)
      expect(await choice.inputValue()).toBe(text)
    }
  }, 120_000)

  test('what an engine cannot is shown and not offered', async () => {
    // y = x·w, in an operator that TensorFlow.js on WebAssembly has not.
    const product = graphToOnnx(
      graph({
        nodes: [node('Einsum', ['x', 'w'], 'y', { equation: { kind: 'string', value: 'nd,dk->nk' } })],
        outputs: [value('y', [1])],
        parameters: [parameter('w', [2, 1])],
      }),
      new Map([['w', { kind: 'bytes', bytes: new Uint8Array(8) }]]),
    )
    const modelId = await make('createModel', 'model', {
      name: 'product',
      task: 'REGRESSION',
      architecture: { uploadId: await upload(platform.url, 'product.onnx', Buffer.from(product)) },
    })
    const weights = { w: { dtype: 'float32', shape: [2, 1], data: Float32Array.of(1, 2) } } as const
    const uploadId = await upload(platform.url, 'weights.safetensors', safetensorsFile(weights))
    const checkpointId = await make('createCheckpoint', 'checkpoint', { modelId, uploadId, name: 'product' })
    const query =
      'query ($id: ID!) { devices { engine lackingOperators } model(id: $id) { architecture { operators } } }'
    const { devices, model } = (await graphql(platform.url, query, { id: modelId })).data as {
      readonly devices: readonly { readonly engine: string; readonly lackingOperators: readonly string[] }[]
      readonly model: { readonly architecture: { readonly operators: readonly string[] } }
    }
    const { operators } = model.architecture
    expect(operators).toEqual(['Einsum'])
    await page.goto(`/start?checkpoint=${checkpointId}`)
    await choiceOf('Engine').click()
    for (const { engine, lackingOperators } of devices) {
      const lacks = lackingOperators.filter((op) => operators.includes(op))
      const name = lacks.length === 0 ? engine : `${engine}: has no ${lacks.join(', ')}`
      const option = page.getByRole('option', { name, exact: true })
      await option.waitFor()
      expect(await option.getAttribute('data-combobox-disabled')).toBe(lacks.length === 0 ? null : 'true')
    }
    await shoot(page, 'start-engines')
    await page.keyboard.press('Escape')
    await looked('start-of-product')
  }, 60_000)

  test('a checkpoint is asked about samples, and says what PyTorch says', async () => {
    const reference = readFileSync(fixture('cancer_mlp.logits.npy'))
    const header = 10 + reference.readUInt16LE(8)
    const positive = (row: number): number => 1 / (1 + Math.exp(-reference.readFloatLE(header + 4 * row)))
    await page.goto('/models')
    await page.getByRole('link', { name: 'BINARY' }).last().click()
    await page.getByRole('tab', { name: 'Try it' }).click()
    const choice = choiceOf('Dataset')
    await choice.fill('BINARY')
    await page.getByRole('option', { name: /^BINARY v1/ }).click()
    await page.getByLabel('Samples').fill('0-3, 7')
    await page.getByRole('button', { name: 'What does it say?' }).click()
    const row = (at: number) => page.locator(`tr[data-row="${at}"]`)
    for (const at of [0, 1, 2, 3, 7]) {
      await row(at).waitFor()
      const cells = await row(at).getByRole('cell').allTextContents()
      const p = positive(at)
      const said = p >= 0.5 ? 'benign' : 'malignant'
      expect(cells[2]).toBe(`${said} ${cells[1] === said ? 'right' : 'wrong'}`)
      const [first] = (cells[3] ?? '').split(', ')
      expect(Number(first!.split(' ')[1])).toBeCloseTo(Math.max(p, 1 - p), 5)
    }
    await looked('checkpoint-try')
    await page.getByLabel('Samples').fill('0-999')
    await page.getByRole('button', { name: 'What does it say?' }).click()
    await page.getByText('There is no row 999').waitFor()
  }, 60_000)

  test('stored bytes are verified, and a model goes with all that it has', async () => {
    const link = page.getByRole('link', { name: 'REGRESSION' })
    await page.goto('/models')
    // The newest checkpoint of the model.
    await link.last().click()
    await page.getByRole('button', { name: 'Verify the stored bytes' }).click()
    await page.getByText(/^All .* are what was imported\.$/).waitFor({ timeout: 20_000 })
    await looked('checkpoint-verified')
    await page.goto('/models')
    await link.first().click()
    const questions: string[] = []
    page.once('dialog', (dialog) => {
      questions.push(dialog.message())
      void dialog.accept()
    })
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'BINARY' }).first().waitFor()
    expect(questions).toEqual(['Delete this model with all its checkpoints and runs, for good?'])
    expect(await link.count()).toBe(0)
    const answer = await graphql(platform.url, '{ runs { nodes { name task: model { name } } } }')
    expect(JSON.stringify(answer.data)).not.toContain('REGRESSION')
  }, 60_000)

  test('no page has complained', () => {
    expect(stage.window.complaints.errors).toEqual([])
  })
})
