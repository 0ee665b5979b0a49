import { describe, expect, it } from 'vitest'
import { type ConnectCore, PlaneHandle } from '../../src/plane/handle.ts'
import type { FromPlane, ToPlane } from '../../src/plane/protocol.ts'

/** Cores that do nothing by themselves: a test says what they tell. */
function house() {
  const cores: {
    got: ToPlane[]
    taken: number
    tell: (message: FromPlane) => void
    die: (why: string) => void
    ended: boolean
  }[] = []
  const trouble: string[] = []
  const connectCore: ConnectCore = (tell, die) => {
    const core = { got: [] as ToPlane[], taken: 0, tell, die, ended: false }
    cores.push(core)
    return {
      post: message => void core.got.push(message),
      took: frames => {
        core.taken += frames
      },
      end: async () => {
        core.ended = true
      },
    }
  }
  const plane = new PlaneHandle(connectCore, text => trouble.push(text))
  const open = (line: number) => {
    const opening = plane.open('ulaw')
    cores.at(-1)!.tell({ kind: 'opened', line, local: { address: '127.0.0.1', port: 4_000 + line } })
    return opening
  }
  return { cores, trouble, plane, open }
}

const sink = { format: { encoding: 'ulaw', rate: 8_000 }, write: () => {} } as const

describe('the handle of the media thread', () => {
  it('starts another thread at once when one that had worked dies, and fails its lines', async () => {
    const { cores, trouble, plane, open } = house()
    const line = await open(1)
    const events: unknown[] = []
    line.onEvent(event => events.push(event))
    const opening = plane.open('ulaw')
    const cancelled = line.cancel()
    const figures = line.figures()
    cores[0]!.die('out of memory')
    expect(cores).toHaveLength(2)
    expect(events).toEqual([{ kind: 'failed', message: 'out of memory' }])
    await expect(opening).rejects.toThrow(/No line could be opened: out of memory/)
    await expect(figures).rejects.toThrow(/out of memory/)
    expect(await cancelled).toEqual([])
    await line.close()
    expect(trouble).toHaveLength(1)
    // Its exit is told as well, after its error.
    cores[0]!.die('code 1')
    expect(cores).toHaveLength(2)
    expect(trouble).toHaveLength(1)
    expect(plane.alive).toBe(true)
    expect((await open(3)).local.port).toBe(4_003)
  })

  it('starts one that never worked again only when a line is wanted', async () => {
    const { cores, plane, open } = house()
    const opening = plane.open('ulaw')
    cores[0]!.die('it cannot start')
    await expect(opening).rejects.toThrow(/it cannot start/)
    expect(plane.alive).toBe(false)
    expect(cores).toHaveLength(1)
    expect((await open(2)).local.port).toBe(4_002)
    expect(cores).toHaveLength(2)
    expect(plane.alive).toBe(true)
  })

  it('refuses lines once it is closed, and ends what was open', async () => {
    const { cores, plane, open } = house()
    const line = await open(1)
    const opening = plane.open('ulaw')
    await plane.close()
    expect(cores[0]!.ended).toBe(true)
    await expect(opening).rejects.toThrow(/closed/)
    await expect(plane.open('ulaw')).rejects.toThrow(/closed/)
    await line.close()
    expect(plane.lineCount).toBe(0)
    cores[0]!.die('code 1')
    expect(cores).toHaveLength(1)
  })

  it('tells how many frames it has taken, also of lines that are gone', async () => {
    const { cores } = house()
    cores[0]!.tell({ kind: 'frames', batch: { heads: new Float64Array(6), audio: new Uint8Array(320) } })
    expect(cores[0]!.taken).toBe(2)
  })
})

describe('the handle of a line', () => {
  it('asks for frames once, however many listen', async () => {
    const { cores, open } = house()
    const line = await open(1)
    const got = cores[0]!.got
    got.length = 0
    const stops = [line.hear({ ...sink }), line.hear({ ...sink })]
    expect(got).toEqual([{ kind: 'listen', line: 1, to: 'received', on: true }])
    stops[0]!()
    stops[0]!()
    expect(got).toHaveLength(1)
    stops[1]!()
    expect(got.slice(1)).toEqual([{ kind: 'listen', line: 1, to: 'received', on: false }])
  })

  it('is closed when the other side says so, and posts nothing more', async () => {
    const { cores, plane, open } = house()
    const line = await open(1)
    const events: unknown[] = []
    line.onEvent(event => events.push(event))
    const cancelled = line.cancel()
    let isClosed = false
    const closed = line.close().then(() => {
      isClosed = true
    })
    expect(await cancelled).toEqual([])
    const posts = cores[0]!.got.length
    line.pause()
    line.resume()
    line.speak({ utterance: 1, audio: new Uint8Array(1), text: '', last: true })
    expect(cores[0]!.got).toHaveLength(posts)
    cores[0]!.tell({ kind: 'happened', line: 1, event: { kind: 'overflowed', utterance: 1 } })
    expect(events).toEqual([])
    await new Promise<void>(resolve => setImmediate(resolve))
    expect(isClosed).toBe(false)
    expect(plane.lineCount).toBe(1)
    cores[0]!.tell({ kind: 'closed', line: 1 })
    await closed
    expect(plane.lineCount).toBe(0)
  })
})
