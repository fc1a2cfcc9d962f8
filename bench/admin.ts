// `npm run bench:admin`: how the admin client feels with 100,000 runs, in a real Chromium with a cold cache: the page of all runs until it
// can be used, scrolling through 10,000 of them, what is loaded for it, and what a live run costs while 10 events come a second.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { pino } from 'pino'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { startEmbeddedPostgres } from '../src/store/embedded/index.ts'
import { client } from './platform/client.ts'
import { MLP_LAYERS } from './model/mlp.ts'
import { startPlatform } from './platform/start.ts'
import { printTable } from './table.ts'

const RUNS = 100_000
const SCROLLED = 10_000
const ROUNDS = 5

const CHROMIUM = process.env['NOGRAD_CHROMIUM'] ?? '/usr/bin/chromium'
if (!existsSync(CHROMIUM)) {
  console.error('Chromium is missing: install it (Debian: apt-get install chromium), or name it with NOGRAD_CHROMIUM.')
  process.exit(1)
}

// As text, because what tsx compiles names functions by a helper that a page has not. Five rows a frame: 300 a second, faster than anybody reads.
const SCROLL = `new Promise((resolve) => {
  const box = document.querySelector('[role=table][aria-label=Runs]')
  const milliseconds = []
  let before = null
  const frame = (at) => {
    if (before !== null) milliseconds.push(at - before)
    before = at
    box.scrollTop += 200
    if (box.scrollTop >= ${SCROLLED * 40} - 1200) resolve({ milliseconds, rows: Math.floor(box.scrollHeight / 40) })
    else requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
})`

// A run as a worker leaves it, with the metrics that lists show and those of ten classes.
const FILL = `
  with architecture as (select "architectureId" from "Model" limit 1),
  checkpoint as (
    insert into "Checkpoint" (id, "modelId", name, format, "fileName", "fileSha256", "fileBytes", tree, globals, warnings, "stateDictPath")
    select uuidv7(), id, 'weights', 'SAFETENSORS', 'weights.safetensors', repeat('ab', 32), 1, '{}', '[]', '{}', '{}' from "Model" limit 1
    returning id, "modelId"),
  dataset as (
    insert into "Dataset" (id, name, version, format, "fileName", "fileSha256", "fileBytes", rows)
    values (uuidv7(), 'samples', 1, 'npy', 'samples.npy', repeat('ab', 32), 1, 10000) returning id)
  insert into "Run" (id, name, "modelId", "checkpointId", "datasetId", status, device, "batchSize", threshold, strict, samples, total,
    "sliceKeys", "usedDevice", "usedEngine", "createdAt", "startedAt", "finishedAt")
  select uuidv7((i - ${RUNS}) * interval '1 minute'), 'run ' || i, checkpoint."modelId", checkpoint.id, dataset.id, 'SUCCEEDED', 'auto', 256,
    0.5, true, 10000, 10000, '{}', 'cpu', 'onnxruntime', now() + (i - ${RUNS}) * interval '1 minute',
    now() + (i - ${RUNS}) * interval '1 minute', now() + (i - ${RUNS}) * interval '1 minute' + interval '9 seconds'
  from checkpoint, dataset, generate_series(1, ${RUNS}) i`

const METRICS = `
  insert into "Metric" ("runId", position, name, average, class, value)
  select run.id, metric.position, metric.name, metric.average, metric.class, random()
  from "Run" run, (
    select row_number() over () as position, name, average, class from (
      values ('accuracy', null, null), ('f1', 'macro', null), ('precision', 'macro', null), ('recall', 'macro', null),
        ('rocAuc', 'macro', null), ('logLoss', null, null)
    ) whole (name, average, class)
    union all
    select 6 + row_number() over (), 'f1', null, class::text from generate_series(0, 9) class
  ) metric`

const LIVE = `
  insert into "Run" (id, name, "modelId", "checkpointId", "datasetId", status, device, "batchSize", threshold, strict, total, "sliceKeys")
  select uuidv7(), 'live', "modelId", "checkpointId", "datasetId", 'RUNNING', 'auto', 256, 0.5, true, 1000000, '{}' from "Run" limit 1
  returning id`

const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-pg-'))
const server = await startEmbeddedPostgres({ dataDir: folder, log: pino({ level: 'warn' }), durable: false })
try {
  process.env['DATABASE_URL'] = server.url
  await using platform = await startPlatform()
  const api = client(platform.url)
  await api.createModel({ name: 'mlp', task: 'MULTICLASS', architecture: { layers: MLP_LAYERS } })
  const database = new Client({ connectionString: server.url })
  await database.connect()
  for (const statement of [FILL, METRICS, 'analyze']) await database.query(statement)
  const liveId = (await database.query<{ id: string }>(LIVE)).rows[0]!.id
  await database.end()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    await report(browser, platform.url, `run_${liveId}`)
  } finally {
    await browser.close()
  }
} finally {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}

async function report(browser: Browser, url: string, liveId: string): Promise<void> {
  const first: number[] = []
  const blank: number[] = []
  let loaded = 0
  for (let round = 0; round < ROUNDS; round++) {
    blank.push(await inContext(browser, async (context) => (await opened(context, `${url}/healthz`)).milliseconds))
    const { milliseconds, scriptBytes } = await inContext(browser, (context) => opened(context, `${url}/runs`))
    first.push(milliseconds)
    loaded = scriptBytes
  }
  const ordered = await inContext(
    browser,
    async (context) => (await opened(context, `${url}/runs?order=f1`)).milliseconds,
  )
  const frames = await inContext(browser, (context) => scrolled(context, `${url}/runs`))
  const live = await inContext(browser, (context) => watched(context, `${url}/runs/${liveId}`))
  printTable(
    ['what', 'measured', 'aim', 'ratio'],
    [
      row(
        `all runs of ${RUNS.toLocaleString('en')}: until they can be used, median of ${ROUNDS}`,
        median(first),
        1500,
        'ms',
      ),
      [`the same of an empty page (browser and machine)`, `${median(blank).toFixed(0)} ms`, '', ''],
      row('ordered by F1', ordered, 1500, 'ms'),
      row('scripts that are loaded for it, gzip or smaller', loaded / 1000, 300, 'kB'),
      row(
        `scrolling through ${frames.rows.toLocaleString('en')} runs: frame, p95`,
        percentile(frames.milliseconds, 0.95),
        50,
        'ms',
      ),
      [`its longest frame`, `${Math.max(...frames.milliseconds).toFixed(0)} ms`, '', ''],
      row(`a live run with ${live.eventsPerSecond.toFixed(1)} events/s: share of a core`, live.share * 100, 10, '%'),
    ],
  )
}

function row(what: string, measured: number, aim: number, unit: string): string[] {
  return [what, `${measured.toFixed(measured < 10 ? 1 : 0)} ${unit}`, `≤ ${aim} ${unit}`, (measured / aim).toFixed(2)]
}

/** A window of its own, with nothing in its cache. */
async function inContext<T>(browser: Browser, run: (context: BrowserContext) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  try {
    return await run(context)
  } finally {
    await context.close()
  }
}

/** Milliseconds from the address to a table of runs whose first row answers a click: its box is ticked. */
async function opened(context: BrowserContext, address: string) {
  const page = await context.newPage()
  let scriptBytes = 0
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  const scripts = new Set<string>()
  cdp.on('Network.responseReceived', ({ requestId, type }) => type === 'Script' && scripts.add(requestId))
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) scriptBytes += encodedDataLength
  })
  // The window is there, as somebody's is who types an address: opening it keeps both cores busy for a while.
  await sleep(1500)
  const begun = performance.now()
  await page.goto(address, { waitUntil: 'commit' })
  if (address.includes('/runs')) {
    const box = page.getByRole('table', { name: 'Runs' }).getByRole('checkbox').first()
    await box.check()
  } else await page.waitForLoadState()
  return { milliseconds: performance.now() - begun, scriptBytes }
}

/** Milliseconds of each frame while the list is scrolled to the end of `SCROLLED` runs, loading as it goes. */
async function scrolled(context: BrowserContext, address: string) {
  const page = await context.newPage()
  await page.goto(address)
  const table = page.getByRole('table', { name: 'Runs' })
  await table.waitFor()
  return await page.evaluate<{ readonly milliseconds: number[]; readonly rows: number }>(SCROLL)
}

/** What the page of a live run costs while the benchmark, in the server's place, sends ten events a second. */
async function watched(context: BrowserContext, address: string): Promise<{ share: number; eventsPerSecond: number }> {
  const SECONDS = 15
  let sent = 0
  const timers: NodeJS.Timeout[] = []
  await context.routeWebSocket(/\/graphql$/, (socket) => {
    socket.onMessage((text) => {
      const message = JSON.parse(String(text)) as { type: string; id: string; payload?: { query: string } }
      if (message.type === 'connection_init') socket.send(JSON.stringify({ type: 'connection_ack' }))
      if (message.type !== 'subscribe' || !message.payload!.query.includes('runProgress')) return
      timers.push(
        setInterval(() => {
          sent++
          const payload = { data: { runProgress: event(sent, address) } }
          socket.send(JSON.stringify({ type: 'next', id: message.id, payload }))
        }, 100),
      )
    })
  })
  const page = await context.newPage()
  await page.goto(address)
  await page
    .getByRole('img', { name: /over the samples so far/ })
    .first()
    .waitFor()
  await sleep(2000)
  const cdp = await context.newCDPSession(page)
  await cdp.send('Performance.enable')
  const busy = async (): Promise<number> =>
    (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')!.value
  const [busyBefore, sentBefore, begun] = [await busy(), sent, performance.now()]
  await sleep(SECONDS * 1000)
  const seconds = (performance.now() - begun) / 1000
  for (const timer of timers) clearInterval(timer)
  return { share: ((await busy()) - busyBefore) / seconds, eventsPerSecond: (sent - sentBefore) / seconds }
}

function event(seq: number, address: string): object {
  const samples = seq * 256
  const progress = {
    ...{ __typename: 'RunProgress', samples, total: 1_000_000, samplesPerSecond: 2560, etaSeconds: 300 },
    ...{ loss: 1 / seq, accuracy: 0.9, precision: 0.9, recall: 0.9, f1: 0.9 + 0.01 * Math.sin(seq) },
  }
  const run = {
    ...{
      __typename: 'Run',
      id: address.split('/').at(-1),
      status: 'RUNNING',
      samples,
      total: 1_000_000,
      seq,
      device: 'cpu',
    },
    ...{
      engine: 'onnxruntime',
      engineVersion: '1',
      engineReason: '',
      usedBatchSize: 256,
      startedAt: null,
      finishedAt: null,
    },
    ...{ durationMs: null, samplesPerSecond: null, keepsSamples: false, progress, error: null },
  }
  const at = new Date().toISOString()
  return { __typename: 'RunEvent', seq, kind: 'PROGRESS', at, status: 'RUNNING', progress, log: null, run }
}

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]!
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}
