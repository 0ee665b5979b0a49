import { digestLimits, hookLimits, jobLimits, recordingLimits } from './limits-recording.ts'
import { twilioLimits } from './limits-twilio.ts'

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
    /** Of the media thread: beyond it the thread ends, and another begins. */
    heapMb: 512,
    /** Ports that the system offers and that lie in the forbidden range, until a line is refused. */
    portTries: 64,
    /** How far the wheel makes up for a stall; ticks older than this are left out. */
    catchUpMs: 100,
  },
  call: {
    parameterCount: 32,
    parameterBytes: 1_024,
    eventsKept: 500,
    endedKept: 200,
    offeredMs: 10_000,
    answeringMs: 30_000,
    /** More than all that a transfer's own states may take. */
    transferringMs: 240_000,
    endingMs: 5_000,
    /** What was said last is still on its way: through the PBX, the network (G.114: 150 ms) and the caller's own buffer. */
    lastWordMs: 200,
    durationMs: 4 * 3_600_000,
    drainMs: 30_000,
    leaseMs: 15_000,
    renewalsPerLease: 3,
    /** Times that a call's media channel, ended in mid-call, is made anew. */
    mediaReplacements: 3,
    /** A channel that is dialled rings no longer, whoever forgets it: more than a destination may ask for. */
    dialSeconds: 125,
    /** Events of a leg that nobody listens to yet. */
    earlyLegEvents: 64,
    /** Keypad digits sent to the caller at once: even half a second each is within the time of a tool. */
    digitsSent: 18,
  },
  transfer: {
    /** For whoever has answered to hear us. */
    consultMs: 10_000,
    /** For telling them who calls, and for their yes. */
    briefingMs: 60_000,
    /** For both to be in one bridge, read back when an answer of the PBX was lost. */
    joiningMs: 30_000,
    reasonChars: 1_000,
    /** Of one header, as it is written. */
    headerChars: 256,
    /** For the carrier to take the caller away, once it has agreed to. */
    redirectMs: 10_000,
    /** For the business's webhook to answer, each of two times. */
    webhookMs: 3_000,
  },
  log: { waitingChars: 64 * 1024 },
  /** What each of them means is looked for through all that was written. */
  yaml: { aliases: 100 },
  journal: {
    fileBytes: 64 * 1024 * 1024,
    queuedEvents: 10_000,
    /** Shares of the bytes, not yet taken by the database, at which an operator is told. */
    alarms: [0.5, 0.8],
  },
  store: {
    /** To a database server, of one gateway. */
    connections: 8,
    connectMs: 5_000,
    /** A query that takes longer is ended. */
    queryMs: 30_000,
    /** Of one connection: the program's own questions, and filters that come together in many ways. */
    preparedStatements: 200,
    /** For an answer that somebody waits for: within the time of a request. */
    askMs: 5_000,
    /** Of one call, for whoever makes something of it. */
    storyEvents: { first: 100, last: 4_900 },
    /** The newest, looked through for words before the index of all words is asked. */
    callsLookedThrough: 10_000,
    /** Of the database, for one search by the index: the places of a word that most of a million calls have. */
    searchMemory: '32MB',
    /** Of a call, to be found by: a value that words are found by holds a megabyte. */
    wordsChars: 125_000,
    /** How often it is looked whether another gateway has changed a business. */
    lookMs: 1_000,
    businesses: 2_000,
    /** From an event to the transaction that takes it, and all that came with it. */
    gatherMs: 250,
    /** Between two attempts to write what the database did not take. */
    retryMs: { first: 250, most: 10_000 },
    /** Of a table, when all of it is read or written. */
    rowsAtOnce: 200,
    /** With all that was said in them, in one transaction. */
    callsForgottenAtOnce: 50,
    /** For the last events to be taken when the program ends. */
    closeMs: 5_000,
  },
  ari: {
    requestMs: 4_000,
    /** Between two looks at what became of channels that are being joined, when no event has told of it. */
    lookAgainMs: 250,
    /**
     * Each is a thread of Asterisk, which lets 10 connections wait to be taken: one more is dropped and tried again after a
     * second. Further requests wait, within their time limit.
     */
    requestsAtOnce: 8,
    heartbeatMs: 2_000,
    backoffMs: { first: 100, most: 5_000 },
    sweepMs: 30_000,
  },
  debian: {
    commandMs: 30_000,
    commandOutputChars: 256 * 1024,
    /** One run of apt-get, on a slow line. */
    downloadMs: 10 * 60_000,
    unpackedAtOnce: 4,
    /** What an interrupted acquisition left is removed after this: no run takes so long. */
    leftoverMs: 60 * 60_000,
  },
  asterisk: {
    consoleMs: 3_000,
    bootMs: 30_000,
    /** Between a request to end and the end by force. */
    stopMs: 5_000,
    /** For calls of an Asterisk that must be restarted: the lease, the prompts and a voicemail. */
    callsEndMs: 4 * 60_000,
    /** How often a process that is no child is looked at: its end is told to nobody. */
    watchMs: 500,
    restartBackoffMs: { first: 100, most: 30_000 },
    /** One that lived so long did not fail at start: the next restart waits no longer than the first. */
    stableMs: 60_000,
    /** How often it is looked whether SIP is answered, how long that may take, and how many looks in a row must agree. */
    sipWatch: { everyMs: 2_000, answerMs: 2_000, inARow: 2 },
    /** How often it is asked what the names of destinations stand for. */
    resolveAgainMs: 60_000,
    logBytes: 5 * 1024 * 1024,
    logFiles: 5,
    /** A stranger who sends to the port of a call can have a line written with each packet. */
    logCheckMs: 1_000,
  },
  agent: {
    toolMs: 10_000,
    /** Of one turn of the caller, and of one reply. */
    utteranceChars: 4_000,
    historyTurns: 200,
    /** Turns of before this channel was ours, as a model is told of them. */
    saidBefore: 40,
    thinkRetries: 3,
    /** Pressed in one turn. */
    keys: 64,
    /** Times that a model is asked on with a tool's result, within one reply. */
    toolRounds: 8,
    /** Asked for in one piece. */
    toolCallsInRound: 64,
    /** Running together: one more is answered in words. */
    toolsAtOnce: 16,
    /** Results kept so that a repeated call of a tool does not run it again. */
    toolResults: 200,
    /** Of one result and of one failure, as the model is given them. */
    toolResultChars: 16_000,
    toolProblemChars: 1_000,
    /** Of a message that is taken. */
    messageChars: 4_000,
    /** Of why a caller is transferred. */
    reasonChars: 300,
    /** Whoever takes a call over is asked so often, with so much time to answer; people say hello before they listen. */
    consult: { times: 3, answerMs: 5_000, beginMs: 400 },
    /** Kept as sound, a speaker: those of every business that has its own. */
    storedPhrases: 100,
    /** Sentences that wait to be spoken, events of a provider that wait to be looked at. */
    queued: 1_000,
    /** Of a realtime engine, remembered to tell late audio from new. */
    items: 200,
    /** For the media thread to tell what was heard. */
    heardMs: 500,
    /** What was heard to its end in mid-sentence, and has not gone on by then, has run dry. */
    dryMs: 500,
  },
  tools: {
    perBusiness: 32,
    /** Of one text among a tool's arguments. */
    argumentChars: 2_000,
    /** Of what an HTTP tool answers. */
    answerBytes: 64 * 1024,
    /** Of the words in which a server says why not. */
    detailChars: 300,
    /** Names of servers that are being looked up: a dead one takes long, and the engine's own wants a place. */
    namesAtOnce: 4,
    /** Of the call's parameters, as a header: servers take some 8 kB of them in all. */
    contextChars: 4_000,
  },
  /** What is known of a caller before the first word: more would keep the greeting, or the model, from what matters. */
  context: {
    /** For the database to tell of the number's earlier calls. */
    storeMs: 400,
    /** Calls that wait for it, answered in time or not; the next goes on without. */
    askedAtOnce: 64,
    /** Counted; there may be more. */
    earlierCalls: 50,
    /** Of them and of what is open, told one by one. */
    told: 5,
    nameChars: 100,
  },
  /** Of what a business's look-up of the caller sends, answers, and is remembered of it. */
  lookup: {
    parameters: 20,
    mostMs: 2_000,
    cacheSeconds: 3_600,
    answerBytes: 16 * 1024,
    fields: 20,
    fieldNameChars: 60,
    valueChars: 500,
    /** Answers kept, of all businesses. */
    cached: 1_000,
  },
  local: {
    /** For one sentence. */
    speakMs: 8_000,
    /** For one stretch of speech, on a busy machine. */
    recognizeMs: 20_000,
    /** Of one stretch of speech: what is longer is cut there. */
    stretchMs: 20_000,
    /** Rendered sentences kept, and their sound altogether. */
    sentences: 256,
    soundBytes: 8 * 1024 * 1024,
    /** Recognizers that are started before anybody needs them. */
    warm: 2,
    /** For the sentence that tells a caller that no place is free. */
    busySentenceMs: 20_000,
  },
  openai: {
    /** For a connection to stand, TLS included. */
    handshakeMs: 4_000,
    /** And for the session in it to be ready. */
    sessionMs: 5_000,
    /** For all attempts to open one together: a caller waits meanwhile. */
    openingMs: 6_000,
    backoffMs: { first: 250, most: 2_000 },
    /** The largest frame from a server: a second of PCM is 64 kB. */
    frameBytes: 4 * 1024 * 1024,
    /** Frames of a session that are no events; one more, and it is given up. */
    malformedFrames: 10,
    /** Of the caller's sound, handed over and not sent: half a minute of it. */
    unsentBytes: 512 * 1024,
    /** Of the caller's sound, kept while there is no session: ten seconds. */
    heldFrames: 500,
    /** And of what it has heard in silence: so long a voice has begun, or nobody has heard it, before that is known. */
    keptFrames: 100,
    /** What the caller has said, and nobody has written down yet. */
    unwritten: 16,
    waitingResponses: 32,
    /** For the first of a response to come, and for each next of it. */
    firstMs: 5_000,
    nextMs: 5_000,
    /** A connection is asked for one so often: when so many in a row do not come it hears nothing for now, or is given up. */
    signOfLife: { everyMs: 500, absent: 2, lost: 8 },
    /** Connections lost in a row without a response between them. */
    losses: 3,
    /** A session ends after 60 minutes without a warning: another takes over at the first quiet moment, or at the latest. */
    rotateMs: { first: 50 * 60_000, again: 5_000, last: 58 * 60_000 },
    /** Messages that a new session is told of. */
    remembered: 400,
    /** Of businesses, with a voice and settings of their own. */
    choices: 32,
  },
  scripted: { renderedTexts: 256, toneMs: 60_000 },
  caller: {
    /** A whole SIP message: more than any datagram holds. */
    sipBytes: 65_535,
    sipHeaders: 100,
    /** Kept to answer repeated requests alike, a call and direction. */
    transactions: 100,
    connectMs: 5_000,
    /** Of what is heard; what comes later is counted and not kept. */
    recordedMs: 10 * 60_000,
    /** Intervals kept for the figures: ten minutes of them. */
    intervals: 30_000,
    markers: 10_000,
    digits: 100,
    /** How long to wait for a sound when nothing else is said. */
    listenMs: 10_000,
    /** A test call: until it is answered, until the agent begins, until it has finished, until it gives way, in all. */
    ringMs: 60_000,
    agentBeginsMs: 15_000,
    agentSpeaksMs: 60_000,
    fallsSilentMs: 10_000,
    callMs: 10 * 60_000,
    callsAtOnce: 100,
    turns: 100,
    sentenceChars: 500,
    /** A sound to play: 120 s of the largest format that is read. */
    wavBytes: 24 * 1024 * 1024,
  },
  doctor: {
    /** For a server to answer; what it answers is read no further than this. */
    answerMs: 5_000,
    answerBytes: 4 * 1024 * 1024,
    /** Free where STATE_DIR is: below the first the journal would soon fail, below the second a person should look. */
    diskBytes: { least: 200e6, low: 1e9 },
    /** Before the end of a model. */
    retirementDays: 90,
    /** How far the clock may be off: callers' times and bookings are wrong before certificates are. */
    skewMs: { noticed: 5_000, most: 300_000 },
    /** Of the wall clock against the monotonic one while the doctor looks. */
    stepMs: 500,
  },
  twilio: twilioLimits,
  recording: recordingLimits,
  jobs: jobLimits,
  digest: digestLimits,
  hooks: hookLimits,
  /** Of what the people of a business are told. */
  notice: {
    chars: 1_000,
    /** Of one attempt by one way. */
    deliverMs: 15_000,
    /** From the end of a call: what was left in it, and its other parts, are told meanwhile. */
    graceMs: 20_000,
    perBusinessPerHour: 60,
    /** What is more waits for the next hour, and is no news any more after so long. */
    freshMs: 24 * 3_600_000,
  },
  http: {
    bodyBytes: 64 * 1024,
    /** For receiving a request, and again for answering it. */
    requestMs: 10_000,
    /** For sending a sound: an hour of it by a slow line. */
    soundMs: 10 * 60_000,
    connections: 256,
    /** Of one part of a path, such as a call's id. */
    paramChars: 256,
    /** Of a business, whose instructions and tools take room. */
    businessBytes: 512 * 1024,
    /** The media thread's time to tell a call's figures; without them the call is told all the same. */
    figuresMs: 500,
    /** What is known of a token is asked again after this: one that was revoked on another node ends by then. */
    tokenKnownMs: 5_000,
    /** Tokens that something is known of, wrong ones too. */
    tokensKnown: 1_000,
    /** How often it is noted that a token was used. */
    tokenUseMs: 60_000,
    tokenNameChars: 200,
    tokensListed: 1_000,
    /** Of one call, in one answer. */
    eventsTold: 5_000,
    cursorChars: 1_000,
    /** Of a key that makes a request the same one. */
    keyChars: 200,
    /** Of words to search for. */
    textChars: 200,
    /** Of statistics, in one answer. */
    days: 366,
    /** Days of businesses told at once. */
    usageRows: 5_000,
    /** Different values of one metric label that is not a closed list; the rest count as one. */
    labelValues: 32,
  },
} as const
