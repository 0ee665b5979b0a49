import { type Clock, systemClock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { limits } from '../../limits.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, hint, warning, error } = findingsOf('clock')

interface Time {
  /** What the wall clock went further than the monotonic one since the doctor began. */
  readonly stepMs: number
  /** Undefined where the system does not tell. */
  readonly synchronised: boolean | undefined
  /** How far each server that told its time is ahead of us. */
  readonly skewsMs: ReadonlyMap<string, number>
}

/** Begins to watch both clocks. */
export function watchClocks(clock: Clock): () => number {
  const offset = () => clock.wallMs() - clock.now()
  const before = offset()
  return () => offset() - before
}

export async function isSynchronised(): Promise<boolean | undefined> {
  const command = ['timedatectl', 'show', '--property=NTPSynchronized', '--value']
  const { code, stdout } = await runCommand(command, { clock: systemClock, timeoutMs: limits.doctor.answerMs })
  return code === 0 && /^(yes|no)\n$/.test(stdout) ? stdout === 'yes\n' : undefined
}

export function judgeTime({ stepMs, synchronised, skewsMs }: Time): Finding[] {
  const { noticed, most } = limits.doctor.skewMs
  const remedy = 'Let the machine keep its clock by NTP: timedatectl set-ntp true'
  const findings = [...skewsMs].flatMap(([server, skewMs]) => {
    const off = Math.abs(skewMs)
    if (off < noticed) return []
    const words = `The clock is ${(off / 1_000).toFixed(0)} s ${skewMs > 0 ? 'behind' : 'ahead of'} that of ${server}`
    if (off < most) return [warning(`${words}: times in records and appointments are off by that.`, remedy)]
    return [error(`${words}: certificates and signatures will be refused.`, remedy)]
  })
  if (Math.abs(stepMs) > limits.doctor.stepMs) {
    findings.push(warning(`The clock was set by ${(stepMs / 1_000).toFixed(1)} s while the doctor looked.`, remedy))
  }
  if (synchronised === false) findings.push(warning('Nothing keeps the clock right.', remedy))
  if (findings.length > 0) return findings
  if (synchronised) return [ok('The clock is kept right by NTP.')]
  if (skewsMs.size > 0) return [ok(`The clock agrees with that of ${[...skewsMs.keys()].join(', ')}.`)]
  return [hint('Whether the clock is right cannot be told here.', 'See that NTP runs on this machine, or on its host.')]
}
