import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { graphql } from '../integration/api/client.ts'
import { writeDigits } from '../integration/cli/big-dataset.ts'
import { fixture } from '../integration/cli/nograd.ts'
import { pythonHas, runPython } from '../interop/python.ts'
import { findChromium, openWindow, shoot, violations } from './browser.ts'
import { openStage, type Stage } from './stage.ts'

// The path of somebody new, with a mouse and a keyboard, on what `npm start` starts. The tests follow each other: each goes on where the
// one before has stopped.

const chromium = findChromium()
if (chromium === null)
  console.warn(
    'SKIPPED: there is no Chromium. Install one (Debian: apt-get install chromium), or name it with NOGRAD_CHROMIUM.',
  )

/** Samples of the run that is watched: with batches of one it takes some seconds. */
const MANY = 24_000

interface Named {
  readonly name: string
  readonly average: string | null
  readonly value: number | null
}
interface RunAnswer {
  readonly run: {
    readonly status: string
    readonly samples: number
    readonly summary: readonly Named[]
    readonly confusionMatrix: readonly (readonly number[])[]
    readonly scoreCurves: readonly {
      readonly class: string
      readonly points: readonly {
        readonly threshold: number
        readonly truePositives: number
        readonly falsePositives: number
        readonly falseNegatives: number
        readonly trueNegatives: number
      }[]
    }[]
  }
}

interface UploadsAnswer {
  readonly uploads: { readonly nodes: readonly { readonly fileName: string; readonly bytes: number }[] }
}

interface CompareAnswer {
  readonly compareRuns: {
    readonly others: readonly [
      { readonly mcNemar: { readonly pValue: number; readonly broken: number; readonly fixed: number } },
    ]
  }
}

const RUN = `query ($id: ID!) { run(id: $id) {
  status samples summary { name average value } confusionMatrix
  scoreCurves { class points { threshold truePositives falsePositives falseNegatives trueNegatives } } } }`

;(chromium === null ? describe.skip : describe)('the admin client', () => {
  let stage: Stage
  let data: Stage['data']
  let platform: Stage['platform']
  let browser: Stage['browser']
  let window: Stage['window']
  let page: Stage['page']
  /** Addresses of what the tests make. */
  const made: Record<'model' | 'checkpoint' | 'dataset' | 'fixed' | 'live' | 'epoch1', string> = {
    ...{ model: '', checkpoint: '', dataset: '', fixed: '', live: '', epoch1: '' },
  }
  const lastPart = (): string => new URL(page.url()).pathname.split('/').at(-1)!
  const answerOf = async (id: string): Promise<RunAnswer['run']> =>
    ((await graphql(platform.url, RUN, { id })).data as RunAnswer).run
  /** How much of an upload the server has. */
  const bytesThere = async (fileName: string): Promise<number> => {
    const answer = await graphql(platform.url, '{ uploads { nodes { fileName bytes } } }')
    return (answer.data as UploadsAnswer).uploads.nodes.find((upload) => upload.fileName === fileName)?.bytes ?? 0
  }

  let failed: string | null = null
  /** A test that goes on where the one before has stopped; after one that failed there is nothing to go on from. */
  const step = (name: string, run: () => Promise<void>, milliseconds = 90_000): void => {
    test(
      name,
      async () => {
        if (failed !== null) throw new Error(`“${failed}” has failed before`)
        try {
          await run()
        } catch (error) {
          failed = name
          await shoot(page, 'failed')
          throw error
        }
      },
      milliseconds,
    )
  }

  beforeAll(async () => {
    stage = await openStage(chromium!)
    ;({ data, platform, browser, window, page } = stage)
  }, 240_000)
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
  }, 60_000)

  step('an empty platform says what to do', async () => {
    await page.goto('/')
    await page.getByText('There are no runs yet').waitFor()
    await shoot(page, 'empty')
    expect(await violations(page)).toEqual([])
    await page.goto('/start')
    await page.getByText('There is no checkpoint to evaluate').waitFor()
  })

  step('a model is made from a list of layers', async () => {
    await page.getByRole('link', { name: 'Models', exact: true }).click()
    await page.getByRole('button', { name: 'New model' }).click()
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('digits')
    await page.getByLabel('Choose the architecture').setInputFiles(fixture('digits_cnn.layers.json'))
    await page.getByRole('button', { name: 'Create the model' }).click()
    await page.getByRole('heading', { name: 'digits', level: 1 }).waitFor()
    made.model = lastPart()
    await page.getByRole('tab', { name: 'Architecture' }).click()
    await page.getByText('BatchNormalization').first().waitFor()
    expect(await page.getByRole('table', { name: 'Operations' }).getByRole('row').count()).toBeGreaterThan(10)
    await shoot(page, 'architecture')
    expect(await violations(page)).toEqual([])
  })

  step('an upload that is no checkpoint says why', async () => {
    await page.getByRole('tab', { name: 'Checkpoints' }).click()
    await page.getByLabel('Choose a checkpoint').setInputFiles(fixture('digits_cnn_full_model.pth'))
    const alert = page.getByRole('alert').filter({ hasText: 'It was not imported' })
    await alert.waitFor()
    expect(await alert.textContent()).toContain('state_dict')
  })

  step('a checkpoint with `module.` before its keys is refused, with the fix', async () => {
    await page.getByLabel('Choose a checkpoint').setInputFiles(fixture('digits_cnn_dataparallel.pth'))
    await page.getByText('It does not fit as it is').first().waitFor()
    expect(await page.getByText('module.0.weight', { exact: true }).first().textContent()).toBe('module.0.weight')
    await shoot(page, 'preflight')
    expect(await violations(page)).toEqual([])
  })

  step('a dataset is uploaded, its columns shown, and imported', async () => {
    await page.getByRole('link', { name: 'Datasets', exact: true }).click()
    await page.getByRole('button', { name: 'New dataset' }).click()
    await page.getByLabel('Choose a dataset').setInputFiles(fixture('digits_test.npz'))
    await page.getByText('10 classes in 450 rows').waitFor()
    await page.getByRole('combobox', { name: 'What y is for' }).or(page.getByLabel('What y is for')).first().waitFor()
    await shoot(page, 'dataset-roles')
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Import the dataset' }).click()
    await page.getByRole('heading', { name: 'digits_test v1', level: 1 }).waitFor()
    made.dataset = lastPart()
    const image = page.getByRole('img', { name: 'Sample 0', exact: true })
    await image.waitFor()
    const size = await image.evaluate(async (element) => {
      const img = element as unknown as { readonly naturalWidth: number; decode(): Promise<void> }
      await img.decode()
      return img.naturalWidth
    })
    expect(size).toBe(8)
    await shoot(page, 'dataset')
    expect(await violations(page)).toEqual([])
  })

  step('a run is started with the fix, in three clicks, and has PyTorch’s accuracy', async () => {
    await page.goto(`/models/${made.model}`)
    await page.getByRole('link', { name: 'digits_cnn_dataparallel' }).click()
    await page.getByRole('link', { name: 'Start a run with this fix' }).click()
    await page.getByText('“module.” is taken off').waitFor()
    await page.getByText('It fits').waitFor()
    await page.getByRole('button', { name: 'Start the run' }).click()
    await page.locator('[data-metric=accuracy]').waitFor({ timeout: 60_000 })
    made.fixed = lastPart()
    const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as {
      readonly cases: { readonly digits_cnn: { readonly metrics: Readonly<Record<string, number>> } }
    }
    const shown = async (name: string): Promise<number> =>
      Number(await page.locator(`[data-metric=${name}] [data-value]`).getAttribute('data-value'))
    const { accuracy, mcc, logLoss } = expected.cases.digits_cnn.metrics
    expect(await shown('accuracy')).toBe(accuracy)
    expect(await shown('mcc')).toBeCloseTo(mcc!, 9)
    expect(await shown('logLoss')).toBeCloseTo(logLoss!, 5)
    await shoot(page, 'run')
    expect(await violations(page)).toEqual([])
  })

  step('what is shown is what the API says, to the digit', async () => {
    const { summary } = await answerOf(made.fixed)
    for (const { name, value } of summary) {
      const card = page.locator(`[data-metric=${name}] [data-value]`)
      expect(await card.getAttribute('data-value')).toBe(value === null ? '' : String(value))
      if (value !== null && Math.abs(value) >= 1e-4)
        expect(await card.textContent()).toBe(String(Number(value.toFixed(6))))
    }
  })

  step('the confusion matrix leads to the samples of a cell', async () => {
    await page.getByRole('tab', { name: 'Classes' }).click()
    const table = page.getByRole('table', { name: 'Cells of the confusion matrix' })
    await table.waitFor()
    const { confusionMatrix } = await answerOf(made.fixed)
    const cells = confusionMatrix.flatMap((row, truth) =>
      row.flatMap((samples, predicted) =>
        truth === predicted || samples === 0 ? [] : [{ truth, predicted, samples }],
      ),
    )
    const most = cells.reduce((a, b) => (b.samples > a.samples ? b : a))
    const first = table.getByRole('row').nth(1)
    expect(await first.getByRole('cell').allTextContents()).toEqual(
      expect.arrayContaining([String(most.truth), String(most.predicted), String(most.samples)]),
    )
    await shoot(page, 'classes')
    expect(await violations(page)).toEqual([])
    await first.getByRole('link').click()
    await page.getByText(`${most.samples} samples, ${most.samples} shown`).waitFor()
    expect(await page.getByRole('article').count()).toBe(most.samples)
    await shoot(page, 'samples')
    expect(await violations(page)).toEqual([])
  })

  step('the threshold is moved by keyboard, and its numbers follow at once', async () => {
    await page.getByRole('tab', { name: 'Curves and threshold' }).click()
    const slider = page.getByRole('slider')
    await slider.waitFor()
    await slider.focus()
    await page.keyboard.press('End')
    for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowLeft')
    const threshold = Number(await slider.getAttribute('aria-valuenow'))
    expect(threshold).toBeCloseTo(0.98, 6)
    const curve = (await answerOf(made.fixed)).scoreCurves[0]!
    const point = curve.points.filter((each) => each.threshold >= threshold).at(-1)!
    const shown = (name: string) =>
      page.locator(`[data-threshold-metric=${name}] [data-value]`).getAttribute('data-value')
    expect(Number(await shown('recall'))).toBe(point.truePositives / (point.truePositives + point.falseNegatives))
    expect(Number(await shown('precision'))).toBe(point.truePositives / (point.truePositives + point.falsePositives))
    await shoot(page, 'curves')
    expect(await violations(page)).toEqual([])
  })

  step(
    'a live run survives a cut WebSocket and a reload, and ends by itself',
    async () => {
      const big = join(data.path, 'many.safetensors')
      writeDigits(big, MANY)
      await page.goto('/datasets')
      await page.getByRole('button', { name: 'New dataset' }).click()
      await page.getByLabel('Choose a dataset').setInputFiles(big)
      await page.getByRole('button', { name: 'Import the dataset' }).click()
      await page.getByRole('heading', { name: 'many v1', level: 1 }).waitFor()
      await page.getByRole('link', { name: 'Evaluate on it' }).click()
      // The checkpoint that needs a fix is chosen, because it is the only one.
      await page.getByRole('link', { name: 'Start a run with this fix' }).click()
      await page.getByLabel('Batch size').fill('1')
      await page.getByRole('textbox', { name: 'Name', exact: true }).fill('live')
      await page.getByRole('combobox', { name: 'Dataset' }).or(page.getByLabel('Dataset')).first().click()
      await page.getByRole('option', { name: /^many v1/ }).click()
      await page.getByRole('button', { name: 'Start the run' }).click()
      await page.getByRole('heading', { name: 'live', level: 1 }).waitFor()
      made.live = lastPart()
      const counted = async (): Promise<number> => {
        const text = await page.getByText(/^[\d,]+ of 24,000$/).textContent()
        return Number(text!.split(' ')[0]!.replaceAll(',', ''))
      }
      const waitFor = async (least: number): Promise<number> => {
        for (;;) {
          const now = await counted()
          if (now > least) return now
          await page.waitForTimeout(100)
        }
      }
      await waitFor(1000)
      await page.getByRole('img', { name: 'F1, Precision, Recall, Accuracy over the samples so far' }).waitFor()
      await shoot(page, 'live')
      expect(await violations(page)).toEqual([])
      const sockets = window.opened()
      await window.cut()
      // What has come before is drawn by then; what comes now, comes by another socket.
      await page.waitForTimeout(1000)
      await waitFor(await counted())
      expect(window.opened()).toBeGreaterThan(sockets)
      await page.reload()
      await page.locator('[data-metric=accuracy]').waitFor({ timeout: 120_000 })
      const { status, samples, summary } = await answerOf(made.live)
      expect([status, samples]).toEqual(['SUCCEEDED', MANY])
      const accuracy = summary.find(({ name }) => name === 'accuracy')!.value
      expect(await page.locator('[data-metric=accuracy] [data-value]').getAttribute('data-value')).toBe(
        String(accuracy),
      )
      // The course is there from its beginning, although the page was loaded in the middle.
      await page.getByRole('tab', { name: 'Course and log' }).click()
      await page.getByRole('img', { name: 'Loss over the samples so far' }).waitFor()
      await shoot(page, 'course')
      expect(await violations(page)).toEqual([])
    },
    240_000,
  )

  step(
    'two runs are compared',
    async () => {
      await page.goto(`/models/${made.model}`)
      await page.getByLabel('Choose a checkpoint').setInputFiles(fixture('digits_cnn_epoch1.pth'))
      await page.getByRole('link', { name: 'Evaluate it' }).click()
      await page.getByRole('combobox', { name: 'Dataset' }).or(page.getByLabel('Dataset')).first().click()
      await page.getByRole('option', { name: /^digits_test v1/ }).click()
      await page.getByText('It fits').waitFor()
      await page.getByRole('button', { name: 'Start the run' }).click()
      await page.locator('[data-metric=accuracy]').waitFor({ timeout: 60_000 })
      made.epoch1 = lastPart()
      await page.goto(`/compare?runs=${made.epoch1},${made.fixed}`)
      const verdict = page.locator(`[data-mcnemar="${made.fixed}"]`)
      await verdict.waitFor()
      expect(await verdict.textContent()).toContain('better by more than chance')
      const answer = await graphql(
        platform.url,
        'query ($ids: [ID!]!) { compareRuns(ids: $ids) { others { mcNemar { pValue broken fixed } } } }',
        { ids: [made.epoch1, made.fixed] },
      )
      const { compareRuns } = answer.data as CompareAnswer
      const { pValue, broken, fixed } = compareRuns.others[0].mcNemar
      expect(await verdict.textContent()).toContain(`fixes ${fixed} samples and breaks ${broken}`)
      expect(await verdict.locator('[data-value]').getAttribute('data-value')).toBe(String(pValue))
      await page.getByText('Newly fixed').click()
      await page.getByRole('img', { name: /^ROC curves of/ }).waitFor()
      await shoot(page, 'compare')
      expect(await violations(page)).toEqual([])
    },
    120_000,
  )

  step('all runs: filtered, ordered and live, by the address', async () => {
    await page.goto('/runs?order=f1')
    const rows = page.getByRole('table', { name: 'Runs' }).getByRole('row')
    await rows.nth(3).waitFor()
    const values = async (): Promise<number[]> =>
      (await page.getByRole('table', { name: 'Runs' }).locator('[data-value]').all()).length === 0
        ? []
        : (
            await Promise.all(
              [1, 2, 3].map((i) => rows.nth(i).locator('[data-value]').first().getAttribute('data-value')),
            )
          ).map(Number)
    const descending = await values()
    expect(descending).toEqual([...descending].sort((a, b) => b - a))
    await page.getByRole('button', { name: 'F1' }).click()
    await page.waitForURL(/order=-f1/)
    await page.waitForTimeout(500)
    expect(await values()).toEqual([...descending].reverse())
    await shoot(page, 'runs')
    expect(await violations(page)).toEqual([])
    // Chosen by keyboard, and compared.
    await page.getByRole('checkbox').nth(0).focus()
    await page.keyboard.press('Space')
    await page.getByRole('checkbox').nth(1).focus()
    await page.keyboard.press('Space')
    await page.getByRole('link', { name: 'Compare 2' }).waitFor()
    // One that somebody starts elsewhere comes by itself, and so does its end.
    await page.goto('/runs')
    await rows.nth(3).waitFor()
    const parts = await graphql(
      platform.url,
      'query ($id: ID!) { run(id: $id) { checkpoint { id } dataset { id } } }',
      {
        id: made.epoch1,
      },
    )
    const { checkpoint, dataset } = (
      parts.data as { readonly run: Record<'checkpoint' | 'dataset', { readonly id: string }> }
    ).run
    await graphql(platform.url, 'mutation ($input: StartRunInput!) { startRun(input: $input) { run { id } } }', {
      input: { checkpointId: checkpoint.id, datasetId: dataset.id, name: 'elsewhere' },
    })
    const newest = rows.nth(1)
    await newest.getByText('elsewhere').waitFor()
    await newest.getByText('succeeded').waitFor({ timeout: 60_000 })
    await page.goto('/runs?name=live')
    await page.getByText('1 run', { exact: true }).waitFor()
  })

  step(
    'weights from a graphics card are downloaded for a processor',
    async () => {
      await page.goto(`/models/${made.model}`)
      await page.getByLabel('Choose a checkpoint').setInputFiles(fixture('digits_cnn_cuda0.pth'))
      await page.getByText('Imported as').waitFor()
      await page.getByRole('link', { name: 'digits_cnn_cuda0.pth', exact: true }).first().click()
      await page.getByText('cuda:0', { exact: true }).waitFor()
      await shoot(page, 'checkpoint')
      expect(await violations(page)).toEqual([])
      await page.getByRole('tab', { name: 'Download' }).click()
      await page.getByLabel('For the device').fill('cpu')
      await page.locator('a[href*="mapLocation=cpu"]').first().waitFor()
      await shoot(page, 'download')
      expect(await violations(page)).toEqual([])
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('a[download]').first().click()])
      const path = join(data.path, 'downloaded.pth')
      await download.saveAs(path)
      const bytes = readFileSync(path)
      expect(bytes.includes('cuda:0')).toBe(false)
      if (!pythonHas('torch')) {
        console.warn('SKIPPED: no PyTorch to open the download with')
        return
      }
      const program = `import sys, json, torch
state = torch.load(sys.argv[1], weights_only=True)
other = torch.load(sys.argv[2], weights_only=True, map_location='cpu')
print(json.dumps([sorted({str(v.device) for v in state.values()}), all(torch.equal(v, other[k]) for k, v in state.items())]))`
      expect(JSON.parse(runPython(program, null, [path, fixture('digits_cnn_cuda0.pth')]))).toEqual([['cpu'], true])
    },
    120_000,
  )

  step(
    'tensors, values and differences of checkpoints',
    async () => {
      await page.getByRole('tab', { name: 'Tensors' }).click()
      await page.getByRole('img', { name: /How the values of 0.weight/ }).waitFor({ timeout: 60_000 })
      await shoot(page, 'tensors')
      expect(await violations(page)).toEqual([])
      await page.getByRole('tab', { name: 'Everything in the file' }).click()
      await page.getByRole('table').waitFor()
      await shoot(page, 'values')
      expect(await violations(page)).toEqual([])
      await page.goto(`/models/${made.model}`)
      await page.getByRole('checkbox', { name: 'Choose digits_cnn_cuda0.pth' }).check()
      await page.getByRole('checkbox', { name: 'Choose digits_cnn_epoch1.pth' }).check()
      await page.getByRole('link', { name: 'What differs between the two' }).click()
      await page.getByText(/of 18 tensors are equal/).waitFor()
      await page.getByText('A worker computes the distances.').waitFor({ state: 'hidden', timeout: 60_000 })
      await shoot(page, 'diff')
      expect(await violations(page)).toEqual([])
    },
    120_000,
  )

  step('an upload that was cut off by a reload goes on where it was', async () => {
    const file = join(data.path, 'large.safetensors')
    writeDigits(file, 80_000)
    const size = statSync(file).size
    const offsets: number[] = []
    page.on('request', (request) => {
      const offset = request.headers()['upload-offset']
      if (request.method() === 'PATCH' && offset !== undefined) offsets.push(Number(offset))
    })
    const choose = async (): Promise<void> => {
      await page.goto('/datasets')
      await page.getByRole('button', { name: 'New dataset' }).click()
      await page.getByLabel('Choose a dataset').setInputFiles(file)
    }
    const network = await window.context.newCDPSession(page)
    await network.send('Network.enable')
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: size / 20 }
    await network.send('Network.emulateNetworkConditions', slow)
    await choose()
    await page.getByText(/^large.safetensors$/).waitFor()
    // Not before the server has some of it.
    while ((await bytesThere('large.safetensors')) === 0) await page.waitForTimeout(200)
    await network.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 })
    await choose()
    await page.getByText(/classes in .* rows/).waitFor()
    expect(offsets[0]).toBe(0)
    expect(offsets.at(-1)).toBeGreaterThan(0)
    expect(offsets.at(-1)).toBeLessThan(size)
    await network.detach()
  })

  step('workers, queue and storage', async () => {
    await page.goto('/system')
    await page.getByText('Runs that wait').waitFor()
    await page.getByText('Without sharing it would be').waitFor()
    await shoot(page, 'system')
    expect(await violations(page)).toEqual([])
  })

  step(
    'every page in the dark and on a telephone: accessible, and no wider than the screen',
    async () => {
      const paths = [
        ...['/runs', `/runs/${made.fixed}`, `/runs/${made.fixed}?tab=classes`, `/runs/${made.fixed}?tab=curves`],
        ...[
          `/runs/${made.fixed}?tab=samples`,
          `/runs/${made.live}?tab=course`,
          `/runs/${made.fixed}?tab=configuration`,
        ],
        ...['/models', `/models/${made.model}`, `/models/${made.model}?tab=architecture`, '/datasets'],
        ...[`/datasets/${made.dataset}`, `/compare?runs=${made.epoch1},${made.fixed}`, '/start', '/system', '/nothing'],
      ]
      for (const view of [{ width: 1280, colorScheme: 'dark' }, { width: 400 }] as const) {
        await using other = await openWindow(browser, platform.url, view)
        for (const path of paths) {
          await other.page.goto(path)
          await other.page.getByRole('heading', { level: 1 }).waitFor()
          await other.page
            .getByText(/^Loading/)
            .first()
            .waitFor({ state: 'hidden' })
          const found = await violations(other.page)
          const overflow = await other.page.evaluate(() => {
            const { document, innerWidth } = globalThis as unknown as {
              readonly document: { readonly documentElement: { readonly scrollWidth: number } }
              readonly innerWidth: number
            }
            return document.documentElement.scrollWidth - innerWidth
          })
          expect({ path, view, found, overflow: Math.max(0, overflow) }).toEqual({ path, view, found: [], overflow: 0 })
        }
        await other.page.goto(`/runs/${made.fixed}`)
        await other.page.locator('[data-metric=accuracy]').waitFor()
        await shoot(other.page, `run-${'colorScheme' in view ? 'dark' : 'narrow'}`)
        expect(other.complaints.errors).toEqual([])
      }
    },
    240_000,
  )

  step('the policy of the server lets the page do all that, and times are the reader’s', async () => {
    const context = await browser.newContext({ baseURL: platform.url, timezoneId: 'Asia/Tokyo', locale: 'en-GB' })
    const own = await context.newPage()
    const refused: string[] = []
    own.on('console', (message) => {
      if (message.type() === 'error') refused.push(message.text())
    })
    await own.goto(`/runs/${made.fixed}?tab=samples`)
    await own.getByRole('article').first().waitFor()
    const time = own.locator('time').first()
    const at = new Date((await time.getAttribute('datetime'))!)
    expect(await time.textContent()).toBe(
      at.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Tokyo' }),
    )
    expect(refused).toEqual([])
    await context.close()
  })

  step('no page has complained', () => {
    expect(window.complaints.errors.filter((text) => !text.includes('cut by a test'))).toEqual([])
    return Promise.resolve()
  })
})
