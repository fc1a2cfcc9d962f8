import { expect, test } from '@jest/globals'
import DataLoader from 'dataloader'
import { required } from '../../src/api/resolver/required.ts'

test('a row that was deleted between two statements is NOT_FOUND, not a fault of ours', async () => {
  const rows = new DataLoader((ids: readonly string[]) =>
    Promise.resolve(ids.map((id) => (id === 'there' ? { id } : null))),
  )
  expect(await required(rows, 'there')).toEqual({ id: 'there' })
  await expect(required(rows, 'gone')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
