import { type CorePorts, PlaneCore } from '../../src/plane/core.ts'
import { PlaneHandle } from '../../src/plane/handle.ts'

/** The same handle before a core in the same thread: for whole calls in virtual time. */
export function localPlane(ports: Omit<CorePorts, 'post' | 'afterTurn' | 'taken'>): {
  plane: PlaneHandle
  core: PlaneCore
} {
  let core: PlaneCore | undefined
  let taken = 0
  const plane = new PlaneHandle(
    receive => {
      const afterTurn = (run: () => void) => void ports.clock.after(0, run)
      core = new PlaneCore({ ...ports, post: receive, afterTurn, taken: () => taken })
      const took = (frames: number) => {
        taken += frames
      }
      return { post: message => core?.receive(message), took, end: async () => {} }
    },
    () => {},
  )
  return { plane, core: core! }
}
