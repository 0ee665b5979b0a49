import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          maxWorkers: 2,
          setupFiles: ['test/support/properties.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          maxWorkers: 2,
          globalSetup: ['test/e2e/shared-server.ts'],
          include: ['test/e2e/**/*.test.ts'],
          // What would disturb everything that runs beside it is run by name.
          exclude: process.env['PARLEY_SOAK'] === '1' ? [] : ['test/e2e/soak/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
