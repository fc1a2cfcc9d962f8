import { execFileSync, spawnSync } from 'node:child_process'

/** The interpreter that interop tests ask: `NOGRAD_PYTHON`, else `python3`. */
const PYTHON = process.env['NOGRAD_PYTHON'] ?? 'python3'

/** Whether that Python has these modules. Tests that need them are skipped, visibly, where it has not. */
export function pythonHas(...modules: readonly string[]): boolean {
  return spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0
}

/** That Python, where it has these modules, to run a script file with; else null. */
export function findPython(modules: readonly string[]): string | null {
  return pythonHas(...modules) ? PYTHON : null
}

/** What a Python program prints, which gets `input` as JSON on its standard input. */
export function runPython(program: string, input: unknown, args: readonly string[] = []): string {
  return execFileSync(PYTHON, ['-c', program, ...args], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
}
