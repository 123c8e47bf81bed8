// Memory: as every engine.
import { outboxSuite } from '../test/suite.ts'
import { memoryOutbox } from './memory.ts'

const store = memoryOutbox()
outboxSuite('memory', () => store)
