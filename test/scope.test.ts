import { describe, expect, it } from 'vitest'
import { Scope } from '../src/scope.ts'

function scopeWithFailures() {
  const failures: string[] = []
  return { failures, scope: new Scope('process', (error, name) => failures.push(`${name}: ${String(error)}`)) }
}

describe('Scope', () => {
  it('aborts first, then releases in reverse order, children included', async () => {
    const { scope } = scopeWithFailures()
    const log: string[] = []
    scope.signal.addEventListener('abort', () => log.push('aborted'))
    scope.onClose(() => void log.push('first'))
    const call = scope.child('call')
    call.onClose(() => void log.push('call'))
    call.child('turn').onClose(() => void log.push('turn'))
    scope.onClose(() => void log.push('last'))
    await scope.close()
    expect(log).toEqual(['aborted', 'last', 'turn', 'call', 'first'])
  })

  it('aborts at once, before the caller of close goes on', () => {
    const { scope } = scopeWithFailures()
    void scope.close('enough')
    expect(scope.signal.aborted).toBe(true)
    expect(scope.signal.reason).toBe('enough')
  })

  it('releases at once what is registered after it has closed', async () => {
    const { scope } = scopeWithFailures()
    await scope.close()
    let released = false
    scope.onClose(() => {
      released = true
    })
    expect(released).toBe(true)
    expect(scope.child('late').closed).toBe(true)
  })

  it('closes once, whoever asks, and waits for slow releases', async () => {
    const { scope } = scopeWithFailures()
    const slow = Promise.withResolvers<void>()
    let times = 0
    scope.onClose(() => {
      times++
      return slow.promise
    })
    const both = Promise.all([scope.close(), scope.close()])
    slow.resolve()
    await both
    expect(times).toBe(1)
  })

  it('goes on releasing when one release fails, and tells of it', async () => {
    const { scope, failures } = scopeWithFailures()
    let released = false
    scope.onClose(() => {
      released = true
    })
    scope.onClose(() => Promise.reject(new Error('stuck')))
    await scope.close()
    expect(released).toBe(true)
    expect(failures).toEqual(['process: Error: stuck'])
  })

  it('forgets a child that has ended, so that a long life does not grow', async () => {
    const { scope } = scopeWithFailures()
    let releases = 0
    for (let index = 0; index < 3; index++) {
      const child = scope.child('call')
      child.onClose(() => void releases++)
      await child.close()
    }
    await scope.close()
    expect(releases).toBe(3)
  })
})
