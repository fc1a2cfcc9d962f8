import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page, type WebSocketRoute } from 'playwright-core'
import { ROOT } from '../setup/clone.ts'

/** Where screenshots go. */
const SHOTS = join(ROOT, 'artifacts', 'e2e')

/** A Chromium: NOGRAD_CHROMIUM, or one of the places where distributions put it; null where there is none. */
export function findChromium(): string | null {
  const places = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/opt/google/chrome/chrome',
  ]
  return [process.env['NOGRAD_CHROMIUM'], ...places].find((path) => path !== undefined && existsSync(path)) ?? null
}

/** Starts a Chromium. */
export const startBrowser = (executablePath: string): Promise<Browser> =>
  // The sandbox needs what containers, and root, do not have; the pages are our own.
  chromium.launch({ executablePath, args: ['--no-sandbox'] })

/** What a page does wrong. */
export interface Complaints {
  /** Errors of scripts, and what the browser writes on its console as one. */
  readonly errors: string[]
}

/** A window of the admin client, which remembers what goes wrong, and whose WebSockets can be cut. */
export interface Window extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  readonly complaints: Complaints
  /** Cuts every WebSocket that is open, as a proxy that starts again does. */
  cut(): Promise<void>
  /** Sockets that were opened. */
  opened(): number
}

/** Opens a window. */
export async function openWindow(
  browser: Browser,
  baseURL: string,
  { width = 1280, colorScheme = 'light' }: { readonly width?: number; readonly colorScheme?: 'light' | 'dark' } = {},
): Promise<Window> {
  const context = await browser.newContext({
    baseURL,
    viewport: { width, height: 900 },
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Asia/Tokyo',
    // For axe alone, which is evaluated in the page; that the policy holds, its own test says.
    bypassCSP: true,
  })
  const sockets: WebSocketRoute[] = []
  let opened = 0
  await context.routeWebSocket(/\/graphql$/, (route) => {
    const server = route.connectToServer()
    opened++
    sockets.push(route)
    route.onClose(() => void server.close())
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: Complaints = { errors: [] }
  page.on('pageerror', (error) => complaints.errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.errors.push(message.text())
  })
  return {
    page,
    context,
    complaints,
    cut: async () => {
      for (const socket of sockets.splice(0)) await socket.close({ code: 1012, reason: 'cut by a test' })
    },
    opened: () => opened,
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** Keeps how a page looks, below artifacts/e2e. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds on a page against WCAG 2.2 AA, one line for each kind. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      readonly axe: {
        run(
          context: unknown,
          options: unknown,
        ): Promise<{ readonly violations: readonly { id: string; nodes: readonly { html: string }[] }[] }>
      }
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const found = await axe.run((globalThis as unknown as { readonly document: unknown }).document, { runOnly: tags })
    return found.violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0]!.html.slice(0, 200)}`)
  })
}
