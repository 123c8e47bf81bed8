// Jest as it comes, but for the tests in TypeScript, which it leaves to others to transpile.
module.exports = {
  transform: { '\\.ts$': './transpile.cjs' },
}
