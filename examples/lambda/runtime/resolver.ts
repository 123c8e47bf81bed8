// Lets `import` look where NODE_PATH says, as Lambda's own Node does and a plain one does not. For `node --import`.
import { registerHooks } from 'node:module'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

const bases = (process.env['NODE_PATH'] ?? '').split(delimiter).filter((base) => base !== '')

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
      for (const base of bases) {
        try {
          return next(specifier, { ...context, parentURL: pathToFileURL(join(base, 'beside.js')).href })
        } catch {
          // not there
        }
      }
      throw error
    }
  },
})
