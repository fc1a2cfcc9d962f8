import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Parameter } from '../../src/architecture/index.ts'
import { bindStateDict, type KeyMapping, type StateDictEntry } from '../../src/evaluation/bind/index.ts'
import { checkLocations } from '../../src/evaluation/map-location.ts'
import type { DType } from '../../src/tensor/index.ts'
import { pythonHas, runPython } from './python.ts'

/** A change to the state_dict of a model. */
interface Change {
  readonly drop: readonly number[]
  readonly rename: readonly (readonly [number, string])[]
  readonly resize: readonly number[]
  readonly metadata: boolean
  /** How the keys of the file came to differ from those of the model; PyTorch is given what undoes it. */
  readonly disguise: keyof typeof DISGUISES
}
/** By what the keys of a file are led back to those of a model with a submodule of this prefix. */
const DISGUISES = {
  none: () => ({}),
  wrapped: () => ({ stripPrefix: 'module.' }),
  renamed: (prefix: string) => ({ renamePrefixes: [{ from: 'old.', to: prefix }] }),
  'only the submodule': (prefix: string) => ({ addPrefix: prefix }),
  'wrapped and renamed': (prefix: string) => ({
    stripPrefix: 'module.',
    renamePrefixes: [{ from: 'old.', to: prefix }],
  }),
} as const satisfies Record<string, (prefix: string) => KeyMapping>
interface Answer {
  readonly entries: readonly (readonly [string, DType, number[]])[]
  readonly versions: Record<string, number> | null
  readonly strict: string
  readonly loose: string
}

const PROGRAM = `
import collections, json, sys, torch, torch.nn as nn

def make(name):
    if name == "Sequential":
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), nn.Linear(4, 2))
    return Net()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("offset", torch.zeros(3))
        self.body = nn.Module()
        self.body.norm = nn.BatchNorm1d(2)
        self.body.gain = nn.Parameter(torch.ones(2, 2))

def load(model, state, strict):
    try:
        return repr(model.load_state_dict(state, strict=strict))
    except RuntimeError as error:
        return str(error)

def disguised(state, kind, prefix):
    if "renamed" in kind:
        state = {("old." + k[len(prefix):] if k.startswith(prefix) else k): v for k, v in state.items()}
    if "wrapped" in kind:
        state = {"module." + k: v for k, v in state.items()}
    if kind == "only the submodule":
        state = {k[len(prefix):]: v for k, v in state.items() if k.startswith(prefix)}
    return state

def undisguised(state, kind, prefix):
    state = dict(state)
    if "wrapped" in kind:
        nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    if "renamed" in kind:
        state = {k.replace("old.", prefix, 1) if k.startswith("old.") else k: v for k, v in state.items()}
    return {prefix + k: v for k, v in state.items()} if kind == "only the submodule" else state

def main(request):
    model = make(request["model"])
    base = model.state_dict()
    parameters = [[k, str(v.dtype)[6:], list(v.shape)] for k, v in base.items()]
    answers = []
    for change in request["changes"]:
        keys = list(base)
        rename = dict((keys[i % len(keys)], new) for i, new in change["rename"])
        dropped = {keys[i % len(keys)] for i in change["drop"]}
        resized = {keys[i % len(keys)] for i in change["resize"]}
        state = collections.OrderedDict()
        for k, v in base.items():
            if k in dropped:
                continue
            state[rename.get(k, k)] = torch.zeros([d + 1 for d in v.shape] or [1], dtype=v.dtype) if k in resized else v
        kind, prefix = change["disguise"], request["prefix"]
        entries = disguised(state, kind, prefix)
        if kind != "none":
            # As users write it: what renames keys loses _metadata.
            state, change["metadata"] = undisguised(entries, kind, prefix), False
        if change["metadata"]:
            state._metadata = base._metadata
        answers.append({
            "entries": [[k, str(v.dtype)[6:], list(v.shape)] for k, v in entries.items()],
            "versions": {k: m["version"] for k, m in base._metadata.items() if "version" in m} if change["metadata"] else None,
            "strict": load(make(request["model"]), state, True),
            "loose": load(make(request["model"]), state, False),
        })
    json.dump({"parameters": parameters, "answers": answers}, sys.stdout)

main(json.load(sys.stdin))
`

const index = fc.nat({ max: 40 })
const newKey = fc.constantFrom(
  'x',
  '0.x',
  '2.x',
  '2.0.x',
  '9.weight',
  'body.x',
  'body.norm.x',
  'head.w.x',
  'zzz.a.b',
  'scale.x',
)
const change: fc.Arbitrary<Change> = fc.record({
  drop: fc.array(index, { maxLength: 3 }),
  rename: fc.uniqueArray(fc.tuple(index, newKey), { maxLength: 3, selector: ([, key]) => key }),
  resize: fc.array(index, { maxLength: 2 }),
  metadata: fc.boolean(),
  disguise: fc.constantFrom(...(Object.keys(DISGUISES) as Change['disguise'][])),
})

const torch = pythonHas('torch')
const withTorch = torch ? describe : describe.skip

withTorch('load_state_dict of a real PyTorch', () => {
  test.each([
    ['Sequential', '2.'],
    ['Net', 'body.'],
  ])('says of a changed state_dict of %s what binding says, after the keys were mapped', (className, prefix) => {
    const changes = fc.sample(change, { numRuns: 400, seed: 7 })
    const { parameters, answers } = JSON.parse(runPython(PROGRAM, { model: className, prefix, changes })) as {
      parameters: [string, DType, number[]][]
      answers: Answer[]
    }
    const expected = parameters.map(([name, dtype, shape]): Parameter => ({
      name,
      keys: [name],
      dtype,
      shape,
      optional: name.endsWith('num_batches_tracked'),
    }))
    let refused = 0
    for (const [i, answer] of answers.entries()) {
      const keyMapping = DISGUISES[changes[i]!.disguise](prefix)
      const entries = new Map(
        answer.entries.map(([key, dtype, shape]): [string, StateDictEntry] => [key, { dtype, shape }]),
      )
      const versions = answer.versions === null ? undefined : new Map(Object.entries(answer.versions))
      const report = (strict: boolean) =>
        bindStateDict({ className, parameters: expected, entries, versions, strict, keyMapping })
      expect(report(true).message).toBe(answer.strict)
      const loose = report(false)
      // Beyond PyTorch, weights that evaluation needs and that are missing are an error.
      if (loose.missing.every((key) => key.endsWith('num_batches_tracked'))) expect(loose.message).toBe(answer.loose)
      if (!report(true).ok) refused++
    }
    expect(refused).toBeGreaterThan(200)
  })
})

withTorch('torch.load of a real PyTorch', () => {
  const LOCATIONS = [
    'cpu',
    'cuda',
    'cuda:0',
    'cuda:7',
    'cuda0',
    'cuda:x',
    'cudax',
    'xpu',
    'hpu:0',
    'foo',
    'CPU',
    'cpu:0',
  ]
  let answers: Record<string, string>
  beforeAll(() => {
    answers = JSON.parse(
      runPython(
        `
import io, json, sys, torch
answers = {"cuda available": str(torch.cuda.is_available() or torch.xpu.is_available())}
for tag in json.load(sys.stdin):
    original = torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: tag
    file = io.BytesIO()
    torch.save({"a": torch.ones(2)}, file)
    torch.serialization.location_tag = original
    file.seek(0)
    try:
        torch.load(file)
        answers[tag] = ""
    except Exception as error:
        answers[tag] = str(error)
json.dump(answers, sys.stdout)
`,
        LOCATIONS,
      ),
    ) as Record<string, string>
  })

  test.each(LOCATIONS)('says of storages on %s what checkLocations says', (location) => {
    // The texts are those of a machine without accelerators.
    if (answers['cuda available'] === 'True') return
    let message = ''
    try {
      checkLocations([location], ['cpu'])
    } catch (error) {
      message = (error as Error).message
    }
    expect(message.startsWith(answers[location]!)).toBe(true)
    expect(message === '').toBe(answers[location] === '')
  })
})
