import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'

interface Service {
  readonly command: readonly string[]
  readonly profiles?: readonly string[]
  readonly environment: Record<string, string>
  readonly deploy?: { resources: { reservations: { devices: { driver: string; capabilities: string[] }[] } } }
}

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> }

describe('docker-compose.yml', () => {
  test('has PostgreSQL, the API, a worker, and a worker with the GPUs in the profile gpu', () => {
    expect(Object.keys(compose.services)).toEqual(['postgres', 'api', 'worker', 'worker-gpu'])
    const gpu = compose.services['worker-gpu']!
    expect(gpu.profiles).toEqual(['gpu'])
    expect(gpu.deploy?.resources.reservations.devices[0]).toMatchObject({ driver: 'nvidia', capabilities: ['gpu'] })
  })

  test('starts the roles that main.ts knows, on the database of the stack', () => {
    for (const [name, role] of [
      ['api', 'api'],
      ['worker', 'worker'],
      ['worker-gpu', 'worker'],
    ] as const) {
      const service = compose.services[name]!
      expect(service.command).toEqual(['node', 'dist/main.js', role])
      expect(service.environment['DATABASE_URL']).toContain('@postgres:5432/nograd')
    }
  })

  test('the image is built by the Dockerfile with the project’s own set-up', () => {
    const dockerfile = read('Dockerfile')
    expect(dockerfile).toContain('RUN npm ci')
    expect(dockerfile).toContain('RUN node scripts/setup.mjs')
    expect(dockerfile).toContain('USER node')
  })
})
