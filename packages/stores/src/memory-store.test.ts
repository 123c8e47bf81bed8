// The memory that core has for tests of fleets does what any store of a fleet must.
import { memoryPlace } from '../test/fleet-places.ts'
import { fleetSuite } from '../test/fleet-suite.ts'
import { pushSuite } from '../test/push-suite.ts'

const memory = memoryPlace()
const setting = { name: 'memory', open: async () => memory, others: false }
fleetSuite(setting)
pushSuite(setting)
