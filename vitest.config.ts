import { transform } from 'esbuild'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    {
      // Neither Node nor Vite compiles standard decorators yet; esbuild does.
      name: 'decorators',
      enforce: 'pre',
      transform: {
        filter: { id: /\.ts$/, code: /^\s*@\w+/m },
        handler: (code, id) => transform(code, { loader: 'ts', target: 'node24', sourcemap: true, sourcefile: id }),
      },
    },
  ],
  test: {
    reporters: ['default', './tools/tally.ts'],
    // By default one core is left to others: of two that is half.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'examples/**/*.test.ts',
            'bench/**/*.test.ts',
            'docs/**/*.test.ts',
            'scoreboard/**/*.test.ts',
          ],
          testTimeout: 20_000,
          typecheck: {
            enabled: true,
            include: ['packages/*/src/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/{core,axios,got,ky,outbox,stores,telemetry,undici}/src/**/*.ts'],
      exclude: ['packages/*/src/**/*.{test,test-d}.ts'],
      reporter: ['text-summary', 'lcovonly'],
    },
  },
})
