import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { graphql } from './api/client.ts'
import { createTus, offsetOf, openPatch, sendTus, tus } from './api/tus.ts'
import { dataFolder, nograd, spawnNograd, startPlatform, until, type StartedPlatform } from './cli/nograd.ts'

const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version'])
    return true
  } catch {
    return false
  }
})()

describe('uploads to a platform that is killed, by commands that are killed', () => {
  const data = dataFolder()
  const spool = join(data.path, 'spool')
  const file = join(data.path, 'large.bin')
  const bytes = randomBytes(1 << 20)
  const COPIES = 256
  const sha256 = createHash('sha256')
  let digest = ''
  let platform: StartedPlatform
  let port = ''
  const env = { NOGRAD_DATA_DIR: data.path }
  const start = async () => {
    platform = await startPlatform(data.path, ['--no-sample', ...(port === '' ? [] : ['--port', port])])
    ;({ port } = new URL(platform.url))
  }
  beforeAll(async () => {
    await start()
    writeFileSync(file, '')
    for (let copy = 0; copy < COPIES; copy++) {
      bytes.writeUInt32LE(copy)
      writeFileSync(file, bytes, { flag: 'a' })
      sha256.update(bytes)
    }
    digest = sha256.digest('hex')
  }, 300_000)
  afterAll(async () => {
    await platform.stop()
    data[Symbol.dispose]()
  }, 60_000)
  beforeEach(async () => {
    for (const { id } of await waiting())
      await graphql(
        platform.url,
        'mutation ($input: DeleteUploadInput!) { deleteUpload(input: $input) { errors { code } } }',
        { input: { uploadId: id } },
      )
    expect(spooled()).toEqual([])
  })

  const spooled = () => (existsSync(spool) ? readdirSync(spool).filter((name) => name !== 'spool.json') : [])
  interface Waiting {
    readonly id: string
    readonly status: string
    readonly sha256: string | null
    readonly bytes: number
  }
  async function waiting(): Promise<readonly Waiting[]> {
    const found = await graphql(platform.url, '{ uploads { nodes { id status sha256 bytes } } }')
    return (found.data as { uploads: { nodes: readonly Waiting[] } }).uploads.nodes
  }
  /** Bytes of the upload that is being received. */
  const received = (): number => {
    const [part] = spooled().filter((name) => name.endsWith('.part'))
    return part === undefined ? 0 : statSync(join(spool, part)).size
  }

  test('SIGKILL of the server in the middle: another client resumes where it ended', async () => {
    const content = readFileSync(file).subarray(0, 40 << 20)
    const hash = createHash('sha256').update(content).digest('hex')
    const address = await createTus(platform.url, content.length, 'killed.pth', hash)
    const out = openPatch(address, 0, content.length)
    out.write(content.subarray(0, 25 << 20))
    await until(() => received() === 25 << 20, 30_000)
    await platform.stop('SIGKILL')
    await start()
    expect(offsetOf((await tus('HEAD', address)).headers)).toBe(25 << 20)
    const done = await sendTus(platform.url, content, { uploadUrl: address, metadata: { filename: 'x' } })
    expect(done).toBe(address)
    expect(await waiting()).toMatchObject([{ status: 'COMPLETE', sha256: hash, bytes: content.length }])
  }, 600_000)

  test('the command waits for a server that is killed and comes back', async () => {
    const running = spawnNograd(['upload', file, '--url', platform.url])
    await until(() => received() > 16 << 20, 120_000)
    const before = received()
    await platform.stop('SIGKILL')
    expect(before).toBeLessThan(COPIES << 20)
    await start()
    const { code, stdout, stderr } = await running.ended
    expect({ code, stderr: stderr.replace(/^sending large.bin: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
    expect(stderr).toMatch(/sending large.bin: [\d.]+ MiB of 256.0 MiB, [\d.]+ [KM]iB\/s, .* left/)
    expect(await waiting()).toMatchObject([{ id: stdout.trim(), status: 'COMPLETE', sha256: digest }])
    expect(spooled()).toHaveLength(1)
  }, 600_000)

  test('a command that was killed goes on where it ended', async () => {
    const running = spawnNograd(['upload', file], env)
    await until(() => received() > 16 << 20, 200_000)
    running.child.kill('SIGKILL')
    await running.ended
    const [begun] = await waiting()
    expect(begun).toMatchObject({ status: 'RECEIVING' })
    const kept = received()
    const { code, stdout } = await nograd(['upload', file, '--json'], env)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      uploads: [{ file, uploadId: begun!.id, sha256: digest, bytes: COPIES << 20 }],
    })
    expect(kept).toBeGreaterThan(16 << 20)
    expect(await waiting()).toMatchObject([{ id: begun!.id, status: 'COMPLETE', sha256: digest }])
    expect(spooled()).toHaveLength(1)
  }, 600_000)

  test('what somebody else began with other bytes is sent anew', async () => {
    const small = join(data.path, 'small.bin')
    writeFileSync(small, 'right')
    const hash = createHash('sha256').update('right').digest('hex')
    const address = await createTus(platform.url, 5, 'small.bin', hash)
    await tus(
      'PATCH',
      address,
      { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      Buffer.from('wro'),
    )
    const { code, stdout, stderr } = await nograd(['upload', small], env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(address).not.toContain(stdout.trim())
    expect(await waiting()).toMatchObject([{ id: stdout.trim(), status: 'COMPLETE', sha256: hash }])
  }, 60_000)

  test('files that are not there, or are refused, are said so', async () => {
    expect(await nograd(['upload', join(data.path, 'nothing')], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no such file'),
    })
    expect(await nograd(['upload', file, '--url', 'http://127.0.0.1:9'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('[PLATFORM_UNREACHABLE]'),
    })
  }, 60_000)
  ;(hasCurl ? test : test.skip)(
    'curl -T, with the name from the file, from standard input, and with a wrong hash',
    () => {
      const curl = (args: readonly string[], input?: Buffer) =>
        JSON.parse(
          execFileSync('curl', ['-sS', '--max-time', '60', ...args], {
            ...(input === undefined ? {} : { input }),
          }).toString(),
        ) as unknown
      const small = join(data.path, 'curl.bin')
      const content = randomBytes(8 << 20)
      writeFileSync(small, content)
      const sent = curl(['-T', small, `${platform.url}/uploads/`])
      expect(sent).toEqual({
        uploadId: expect.stringMatching(/^upl_/),
        fileName: 'curl.bin',
        bytes: 8 << 20,
        sha256: createHash('sha256').update(content).digest('hex'),
      })
      const piped = curl(['-T', '-', `${platform.url}/uploads/piped.csv`], Buffer.from('a,b\n1,2\n'))
      expect(piped).toMatchObject({ fileName: 'piped.csv', bytes: 8 })
      const wrong = ['-T', small, '-H', `X-Content-SHA256: ${'0'.repeat(64)}`, `${platform.url}/uploads/`]
      expect(curl(wrong)).toMatchObject({ errors: [{ code: 'UPLOAD_INCOMPLETE' }] })
      expect(curl(['-T', '-', `${platform.url}/uploads/`], Buffer.from('x'))).toMatchObject({
        errors: [{ code: 'BAD_INPUT' }],
      })
      expect(spooled()).toHaveLength(2)
    },
    120_000,
  )
})
