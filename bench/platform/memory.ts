import { readFile, writeFile } from 'node:fs/promises'

/** Peak resident memory of a process in bytes since `resetPeak`; Linux only, NaN elsewhere. */
export async function peakMemory(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  } catch {
    return NaN
  }
}

/** Makes the present memory the peak (proc(5), clear_refs 5). */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined)
}
