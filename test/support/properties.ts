import fc from 'fast-check'

// The same inputs on every run: what fails, fails for everybody. `npm run test:soak` draws other ones and says its seed.
fc.configureGlobal({ seed: Number(process.env['PARLEY_SEED'] ?? 1) })
