import { spawn } from 'node:child_process'

/** Runs programs one after another and stops at the first that fails; what each prints is shown as it comes. */
export async function runSteps(steps: readonly (readonly [name: string, ...command: string[]])[]): Promise<void> {
  for (const [name, program = '', ...args] of steps) {
    const began = performance.now()
    console.log(`--- ${name}`)
    const status = await run(program, args)
    console.log(
      `--- ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - began) / 1_000).toFixed(1)} s`,
    )
    if (status !== 0) process.exit(1)
  }
}

function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', code => resolve(code ?? 1))
  })
}
