import type { Parameter } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { sameShape, torchSize, type DType } from '../../tensor/index.ts'
import { isCastable } from '../cast.ts'
import type { BindingReport, BoundParameter, StateDictEntry } from './binding-report.ts'
import type { Binding } from './binding.ts'
import { applyKeyMapping, mapKey } from './key-mapping.ts'
import { moduleOrder } from './module-order.ts'
import { proposeBindings } from './propose-bindings.ts'

/**
 * Binds a state_dict to the parameters of a graph as load_state_dict would, without looking at any value, and proposes a cure
 * when it does not fit.
 *
 * Beyond PyTorch it refuses missing keys with `strict: false` too, unless evaluation does not read them: PyTorch would leave
 * the parameter at its random initial values, and a score of those is nonsense.
 * @throws AppError BINDING_FAILED when the key mapping makes two keys one.
 */
export function bindStateDict(binding: Binding): BindingReport {
  const report = matchKeys(binding)
  return report.ok ? report : { ...report, proposals: proposeBindings(binding, matchKeys) }
}

/**
 * The report when all is well.
 * @throws AppError BINDING_FAILED with PyTorch's text and the proposals.
 */
export function requireBound(report: BindingReport): BindingReport {
  if (report.ok) return report
  const cures = report.proposals.map(({ text }) => `\n${text}`)
  throw new AppError('BINDING_FAILED', [report.message, ...cures].join(''))
}

function matchKeys(binding: Binding): BindingReport {
  const { className, parameters, entries, strict } = binding
  const opaque: ReadonlyMap<string, string> = binding.opaque ?? new Map()
  const sources = applyKeyMapping([...entries.keys(), ...opaque.keys()], binding.keyMapping ?? {})
  const isDense = (key: string): boolean => sources.has(key) && entries.has(sources.get(key)!)
  const at = (key: string): StateDictEntry => entries.get(sources.get(key)!)!
  const parameterOf = new Map(parameters.flatMap((parameter) => parameter.keys.map((key) => [key, parameter] as const)))
  const order = moduleOrder(parameterOf.keys())

  const present = order.keys.filter(isDense)
  const kept = order.keys.filter((key) => sources.has(key) && !isDense(key))
  const forgiven = forgivenKeys(binding)
  const missing = order.keys.filter((key) => !sources.has(key) && !forgiven(key, parameterOf.get(key)!))
  const unexpected = order.unexpected(sources.keys())
  const mismatched = present
    .map((key) => ({ key, found: at(key).shape, expected: parameterOf.get(key)!.shape }))
    .filter(({ found, expected }) => !fits(found, expected))
  const uncastable = present.map((key) => ({ key, dtype: at(key).dtype })).filter(({ dtype }) => !isCastable(dtype))
  const casts = present
    .map((key) => ({ key, from: at(key).dtype, to: parameterOf.get(key)!.dtype }))
    .filter(({ from, to }) => from !== to && isCastable(from))
  const boundKeys = parameters.map((parameter) => ({
    parameter,
    keys: parameter.keys.filter(isDense),
  }))
  const lacking = boundKeys.filter(
    ({ parameter, keys }) =>
      !parameter.optional && keys.length === 0 && !parameter.keys.some((key) => sources.has(key)),
  )

  const errors = [
    ...(strict && missing.length > 0 ? [`Missing key(s) in state_dict: ${quoted(missing)}. `] : []),
    ...(strict && unexpected.length > 0 ? [`Unexpected key(s) in state_dict: ${quoted(unexpected)}. `] : []),
    ...mismatched.map(
      ({ key, found, expected }) =>
        `size mismatch for ${key}: copying a param with shape ${torchSize(found)} from checkpoint, ` +
        `the shape in current model is ${torchSize(expected)}.`,
    ),
    ...kept.map((key) => opaqueText(key, opaque.get(sources.get(key)!)!)),
    ...uncastable.map(
      ({ key, dtype }) => `dtype ${torchDType(dtype)} of "${key}" cannot be evaluated; save the tensor as float32.`,
    ),
    ...(!strict && lacking.length > 0
      ? [
          `Missing key(s) in state_dict: ${quoted(lacking.flatMap(({ parameter }) => parameter.keys))}. ` +
            'strict=False would leave them at random initial values, and those are not evaluated.',
        ]
      : []),
  ]
  return {
    ok: errors.length === 0,
    message:
      errors.length > 0
        ? `Error(s) in loading state_dict for ${className}:\n\t${errors.join('\n\t')}`
        : missing.length + unexpected.length === 0
          ? '<All keys matched successfully>'
          : `_IncompatibleKeys(missing_keys=${pythonList(missing)}, unexpected_keys=${pythonList(unexpected)})`,
    bound: boundKeys.flatMap(({ parameter, keys }): BoundParameter[] => {
      const [key] = keys
      if (key === undefined) return []
      const { name, dtype, shape } = parameter
      return [{ parameter: name, key: sources.get(key)!, found: at(key), expected: { dtype, shape } }]
    }),
    missing,
    unexpected,
    mismatched,
    casts,
    refused: [...kept.map((key) => ({ key, dtype: opaque.get(sources.get(key)!)! })), ...uncastable],
    tied: boundKeys
      .filter(({ keys }) => keys.length > 1)
      .map(({ parameter, keys }) => ({ parameter: parameter.name, keys: keys.map((key) => sources.get(key)!) })),
    proposals: [],
  }
}

/** Since 0.4.1 a scalar is [] and no more [1]: PyTorch still takes the old ones. */
const fits = (found: readonly number[], expected: readonly number[]): boolean =>
  sameShape(found, expected) || (expected.length === 0 && found.length === 1 && found[0] === 1)

/**
 * `num_batches_tracked` came with version 2 of batch normalisation; older files, and files without `_metadata`, may lack it.
 * Source: torch/nn/modules/batchnorm.py, _NormBase._load_from_state_dict.
 */
function forgivenKeys({ versions, keyMapping }: Binding): (key: string, parameter: Parameter) => boolean {
  const mapping = keyMapping ?? {}
  const versionAt = new Map(
    [...(versions ?? [])].map(([path, version]) => [mapKey(path === '' ? '' : `${path}.`, mapping), version]),
  )
  return (key, { optional }) => optional && (versionAt.get(key.slice(0, key.lastIndexOf('.') + 1)) ?? 0) < 2
}

function opaqueText(key: string, what: string): string {
  const cure = /quantized/.test(what)
    ? 'dequantize it before torch.save: tensor.dequantize()'
    : /sparse|nested/.test(what)
      ? 'save it dense: tensor.to_dense(), or to_padded_tensor for a nested one'
      : 'save it as a dense float32 tensor'
  return `"${key}" is ${what} and cannot be evaluated; ${cure}.`
}

const torchDType = (dtype: DType): string => `torch.${dtype}`
const quoted = (keys: readonly string[]): string => keys.map((key) => `"${key}"`).join(', ')
const pythonList = (keys: readonly string[]): string => `[${keys.map((key) => `'${key}'`).join(', ')}]`
