// Makes CommonJS of a test in TypeScript, as ts-jest and its like do.
const { ModuleKind, transpileModule } = require('typescript')

const compilerOptions = { module: ModuleKind.CommonJS, target: 'es2022', esModuleInterop: true }

module.exports = { process: (source) => ({ code: transpileModule(source, { compilerOptions }).outputText }) }
