import { AppError } from '../error.ts'
import type { Task } from '../metric/index.ts'
import type { ModelRow } from '../store/index.ts'
import { checkName, isStorableText } from './check-name.ts'
import { classNames } from './class-names.ts'
import { isUniqueViolation } from './database-error.ts'
import { logitsWidth } from './logits-width.ts'
import { consumeUpload } from './open-upload.ts'
import type { Platform } from './platform.ts'
import { resolveArchitecture, storeArchitecture, type ArchitectureInput } from './resolve-architecture.ts'

/** A model to create. */
export interface CreateModelInput {
  /** Unique. */
  readonly name: string
  readonly description?: string | null | undefined
  readonly task: Task
  /** By index; BINARY: negative, positive. By default 0, 1, … */
  readonly classes?: readonly string[] | null | undefined
  readonly architecture: ArchitectureInput
}

/**
 * Creates a model with its architecture, which is checked here: operators, shapes, every parameter, and whether its output answers the
 * task. Equal graphs are one architecture.
 * @throws AppError BAD_INPUT, NOT_FOUND, CONFLICT, ARCHITECTURE_*, LIMIT_EXCEEDED.
 */
export async function createModel(platform: Platform, input: CreateModelInput): Promise<ModelRow> {
  const { store, limits, clock } = platform
  const name = checkName('the name of the model', input.name, limits.nameLength)
  const description = checkDescription(input.description ?? null, limits.descriptionLength)
  const taken = () =>
    new AppError('CONFLICT', `there is a model named ${JSON.stringify(name)} already; choose another name`)
  if ((await store.prisma.model.count({ where: { name } })) > 0) throw taken()
  const architecture = await resolveArchitecture(platform, input.architecture)
  const classes = classNames(input.task, input.classes ?? null, logitsWidth(architecture.graph, input.task), limits)
  let model: ModelRow
  try {
    model = await store.prisma.$transaction(async (tx) => {
      const architectureId = await storeArchitecture(tx, architecture)
      return await tx.model.create({
        data: { name, description, task: input.task, classes: [...classes], architectureId, createdAt: clock() },
      })
    })
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error
  }
  if (input.architecture.uploadId !== undefined) await consumeUpload(platform, input.architecture.uploadId)
  return model
}

function checkDescription(description: string | null, maxLength: number): string | null {
  if (description === null || description.trim() === '') return null
  if (description.length > maxLength)
    throw new AppError(
      'BAD_INPUT',
      `the description has ${description.length} characters; at most ${maxLength} are allowed`,
    )
  if (!isStorableText(description)) throw new AppError('BAD_INPUT', 'the description has characters that are no text')
  return description
}
