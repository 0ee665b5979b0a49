/** Every bound of the program, in one place. At a bound the program refuses or sheds with a counter; it never grows. */
export const limits = {
  media: {
    /** Speech handed over and not yet played, a call. */
    unplayedMs: 120_000,
    /** Pieces that speech may come in: 120 s in 10 ms pieces. */
    unplayedChunks: 12_000,
    /** Text that goes with one utterance. */
    utteranceChars: 20_000,
    /** Packets held back behind a gap, a call: 200 ms packets at most for the longest wait. */
    heldPackets: 50,
    /** The largest UDP payload looked at; RFC 3551 receivers accept up to 200 ms (1,600 bytes of G.711) a packet. */
    packetBytes: 2_048,
    /** Frames kept for a listener that the main thread has not taken yet: two seconds. */
    pendingFrames: 100,
    lines: 600,
  },
  call: {
    parameterCount: 32,
    parameterBytes: 1_024,
    eventsKept: 500,
    endedKept: 200,
    offeredMs: 10_000,
    answeringMs: 30_000,
    transferringMs: 60_000,
    endingMs: 5_000,
    durationMs: 4 * 3_600_000,
    drainMs: 30_000,
    leaseMs: 15_000,
    leaseRenewalMs: 5_000,
  },
  journal: { fileBytes: 64 * 1024 * 1024, queuedEvents: 10_000 },
  ari: { requestMs: 4_000, heartbeatMs: 2_000, backoffMs: { first: 100, most: 5_000 }, sweepMs: 30_000 },
  agent: { toolMs: 10_000, utteranceChars: 4_000, historyTurns: 200, thinkRetries: 3 },
  http: { bodyBytes: 64 * 1024, requestMs: 10_000 },
} as const
