import { type CorePorts, PlaneCore } from '../../src/plane/core.ts'
import { PlaneHandle } from '../../src/plane/handle.ts'

/** The same handle before a core in the same thread: for whole calls in virtual time. */
export function localPlane(ports: Omit<CorePorts, 'post' | 'afterTurn'>): { plane: PlaneHandle; core: PlaneCore } {
  let core: PlaneCore | undefined
  const plane = new PlaneHandle(
    receive => {
      core = new PlaneCore({ ...ports, post: receive, afterTurn: run => void ports.clock.after(0, run) })
      return { post: message => core?.receive(message), end: async () => {} }
    },
    () => {},
  )
  return { plane, core: core! }
}
