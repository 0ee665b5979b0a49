/** Lets real sockets do their work until the condition holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  do await new Promise<void>(resolve => setImmediate(resolve))
  while (!condition())
}
