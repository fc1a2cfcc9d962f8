import { graphql } from '../api/client.ts'

/** What `predict` answers here. */
export interface Answered {
  readonly prediction: {
    readonly classes: readonly string[]
    readonly activation: string
    readonly samples: readonly Sample[]
    readonly device: string
    readonly engine: string
    readonly warm: boolean
    readonly milliseconds: number
    readonly workerMilliseconds: number
    readonly engineMilliseconds: number
  } | null
  readonly errors: readonly { readonly code: string; readonly message: string; readonly path: string[] | null }[]
}

export interface Sample {
  readonly index: number
  readonly row: number | null
  readonly logits: readonly (number | null)[]
  readonly probabilities: readonly number[] | null
  readonly labels: readonly string[]
  readonly trueLabels: readonly string[] | null
  readonly trueValues: readonly number[] | null
}

const PREDICT = `mutation Predict($input: PredictInput!) {
  predict(input: $input) {
    prediction {
      classes activation device engine warm milliseconds workerMilliseconds engineMilliseconds
      samples { index row logits probabilities labels trueLabels trueValues }
    }
    errors { code message path }
  }
}`

/** Sends `predict` over HTTP. */
export async function ask(url: string, input: Record<string, unknown>): Promise<Answered> {
  const answer = (await graphql(url, PREDICT, { input })) as {
    readonly data: { readonly predict: Answered }
    readonly errors?: unknown
  }
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors))
  return answer.data.predict
}

/** A prediction that succeeds. */
export async function predicted(url: string, input: Record<string, unknown>) {
  const { prediction, errors } = await ask(url, input)
  if (prediction === null) throw new Error(JSON.stringify(errors))
  return prediction
}

/** Why a prediction is refused: `CODE: message`. */
export async function refusal(url: string, input: Record<string, unknown>): Promise<string> {
  const { prediction, errors } = await ask(url, input)
  if (prediction !== null || errors.length !== 1) throw new Error(JSON.stringify({ prediction, errors }))
  return `${errors[0]!.code}: ${errors[0]!.message}`
}
