import { execFileSync, spawnSync } from 'node:child_process'

/** The interpreter that interop tests ask: `NOGRAD_PYTHON`, else `python3`. */
const PYTHON = process.env['NOGRAD_PYTHON'] ?? 'python3'

/** Whether that Python has these modules. Tests that need them are skipped, visibly, where it has not. */
export function pythonHas(...modules: readonly string[]): boolean {
  return spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0
}

/** Whether that Python has a module, which perhaps cannot be imported just so. */
export function pythonFinds(module: string): boolean {
  const program = `import sys; from importlib.util import find_spec; sys.exit(find_spec(${JSON.stringify(module)}) is None)`
  return spawnSync(PYTHON, ['-c', program], { stdio: 'ignore' }).status === 0
}

/** That Python, where it has these modules, to run a script file with; else null. */
export function findPython(modules: readonly string[]): string | null {
  return pythonHas(...modules) ? PYTHON : null
}

/**
 * A Python with PyTorch 1, whose files differ: `NOGRAD_PYTHON_OLD`, else what there is at /usr/bin/python3 (Debian 12 has PyTorch
 * 1.13 as `python3-torch`); null where that has no PyTorch, or a newer one.
 */
export function findOldPython(): string | null {
  const python = process.env['NOGRAD_PYTHON_OLD'] ?? '/usr/bin/python3'
  const program = 'import numpy, torch; assert torch.__version__.startswith("1.")'
  return spawnSync(python, ['-c', program], { stdio: 'ignore' }).status === 0 ? python : null
}

/** What a Python program prints, which gets `input` as JSON on its standard input. */
export function runPython(program: string, input: unknown, args: readonly string[] = []): string {
  return execFileSync(PYTHON, ['-c', program, ...args], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
}
