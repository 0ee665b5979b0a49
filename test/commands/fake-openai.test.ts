import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

function run(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const program = [join(root, 'src/commands/fake-openai.ts'), ...args]
  return new Promise(resolve => {
    execFile(join(root, 'node_modules/node/bin/node'), program, (error, _, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stderr }),
    )
  })
}

it('says what to do about a port that is taken, or that is none', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const [taken, none] = await Promise.all([run(['--port', String(port)]), run(['--port', 'x'])])
  server.close()
  const words = `fake-openai: Port ${port} is taken by another program. Choose another: --port 8091\n`
  expect(taken).toEqual({ code: 1, stderr: words })
  expect(none).toEqual({ code: 1, stderr: 'fake-openai: --port takes a number up to 65535; "x" is none.\n' })
})

it('says what an option takes when it is given something else', async () => {
  const words = 'fake-openai: --g711 takes refuses or ignores; "foo" is neither.\n'
  expect(await run(['--g711', 'foo'])).toEqual({ code: 1, stderr: words })
})
