// The house's floors (docs/architecture.md): imports only point down, siblings never import each other, and outsiders import
// a folder only through its index.ts.
const FLOORS = [
  ['error', 'tensor', 'container'],
  ['checkpoint', 'architecture', 'dataset', 'metric', 'statistics'],
  ['engine'],
  ['evaluation'],
  ['store'],
  ['usecase'],
  ['api', 'worker', 'cli'],
  ['main'],
]
const inFloor = (names) => `^src/(${names.join('|')})(/|\\.ts$)`

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      // Prisma's generated types name each other.
      from: { pathNot: '^src/store/prisma/' },
      to: { circular: true },
    },
    ...FLOORS.flatMap((names, floor) =>
      floor === FLOORS.length - 1
        ? []
        : [
            {
              name: `floor-${floor}-imports-only-down`,
              severity: 'error',
              from: { path: inFloor(names) },
              to: { path: inFloor(FLOORS.slice(floor + 1).flat()) },
            },
          ],
    ),
    ...FLOORS.slice(1).flatMap((names) =>
      names.map((name) => ({
        name: `${name}-does-not-import-siblings`,
        severity: 'error',
        from: { path: inFloor([name]) },
        to: { path: inFloor(names.filter((other) => other !== name).concat('nothing')) },
      })),
    ),
    {
      name: 'tensor-imports-no-container',
      severity: 'error',
      from: { path: '^src/(tensor|error)' },
      to: { path: '^src/container' },
    },
    {
      name: 'folders-are-entered-by-their-index',
      severity: 'error',
      from: { path: '^src/([^/.]+)' },
      to: {
        path: '^src/([^/]+)/',
        pathNot: [
          '^src/$1/',
          '^src/[^/]+/index\\.ts$',
          '^src/engine/(onnxruntime|tensorflow)/index\\.ts$',
          '^src/store/embedded/index\\.ts$',
        ],
      },
    },
    {
      name: 'only-main-names-a-concrete-engine',
      severity: 'error',
      from: { pathNot: ['^src/engine/(onnxruntime|tensorflow)/', '^src/main\\.ts$', '^src/main/'] },
      to: { path: '^src/engine/(onnxruntime|tensorflow)/' },
    },
    {
      name: 'nothing-imports-test-or-bench',
      severity: 'error',
      from: { path: '^(src|admin)' },
      to: { path: '^(test|bench)' },
    },
    {
      name: 'admin-talks-to-the-api-alone',
      severity: 'error',
      from: { path: '^admin' },
      to: { path: '^src' },
    },
    {
      name: 'admin-is-no-part-of-the-program',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^admin' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'] },
  },
}
