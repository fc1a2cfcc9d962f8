import type { Browser, Page } from 'playwright-core'
import { dataFolder, startPlatform, type StartedPlatform } from '../integration/cli/nograd.ts'
import { openWindow, startBrowser, type Window } from './browser.ts'

/** What `npm start` starts, on a data folder of its own, and a window on it. */
export interface Stage extends AsyncDisposable {
  readonly data: ReturnType<typeof dataFolder>
  readonly platform: StartedPlatform
  readonly browser: Browser
  readonly window: Window
  readonly page: Page
}

/** Starts all of it. */
export async function openStage(chromium: string): Promise<Stage> {
  const data = dataFolder()
  const platform = await startPlatform(data.path)
  const browser = await startBrowser(chromium)
  const window = await openWindow(browser, platform.url)
  return {
    ...{ data, platform, browser, window, page: window.page },
    async [Symbol.asyncDispose]() {
      await browser.close()
      await platform.stop()
      data[Symbol.dispose]()
    },
  }
}
