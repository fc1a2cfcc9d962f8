import { openDownload, type Download, type DownloadInput } from '../../usecase/index.ts'
import type { CheckpointDownloadArgs, DownloadResolvers } from '../generated/resolvers.ts'
import { downloadPath } from '../http/download-query.ts'
import { encodeId } from '../object-id.ts'
import type { DownloadRecord } from '../record.ts'
import { keyMapping, mapLocation } from './input.ts'

/** A download as it was asked for; it is planned when one of its fields needs it. */
export function downloadRecord(checkpointId: string, args: CheckpointDownloadArgs): DownloadRecord {
  return {
    checkpointId,
    input: {
      format: lowerCase(args.format),
      content: lowerCase(args.content),
      dtype: lowerCase(args.dtype),
      mapLocation: mapLocation(args.mapLocation),
      keyMapping: keyMapping(args.keyMapping),
    },
  }
}

/** Enumerations of the schema are the names of the use case in upper case. */
const lowerCase = <T extends string>(name: T | null | undefined): Lowercase<T> | null =>
  name == null ? null : (name.toLowerCase() as Lowercase<T>)

/** Plans of this operation: several fields ask for the same one. */
const planned = new WeakMap<DownloadRecord, Promise<Download>>()

/** Fields of `Download`. */
export const downloadResolvers: DownloadResolvers = {
  url: ({ checkpointId, input }) => downloadPath(encodeId('Checkpoint', checkpointId), input),
  fileName: async (record, _arguments, { platform }) => (await plan(record, platform)).fileName,
  byteLength: async (record, _arguments, { platform }) => (await plan(record, platform)).byteLength,
  sha256: async (record, _arguments, { platform }) => (await plan(record, platform)).sha256(),
}

function plan(record: DownloadRecord, platform: Parameters<typeof openDownload>[0]): Promise<Download> {
  let download = planned.get(record)
  if (download === undefined)
    planned.set(record, (download = openDownload(platform, record.checkpointId, record.input satisfies DownloadInput)))
  return download
}
