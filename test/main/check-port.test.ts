import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { checkPort } from '../../src/main/check-port.ts'

test('a taken port: who has it, and how to choose another', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const error: unknown = await checkPort('127.0.0.1', port).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'CONFLICT' })
  const { message } = error as Error
  expect(message).toContain(`port ${port} of 127.0.0.1 is taken by process ${process.pid} (`)
  expect(message).toContain('jest')
  expect(message).toContain(`npm start -- --port ${port + 1}`)
  server.close()
  await once(server, 'close')
  await expect(checkPort('127.0.0.1', port)).resolves.toBeUndefined()
})

test('an address that is not of this machine', async () => {
  await expect(checkPort('192.0.2.1', 4000)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(/^192\.0\.2\.1:4000 cannot be listened on .*NOGRAD_HOST/),
  })
})
