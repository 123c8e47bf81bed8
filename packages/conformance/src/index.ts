// The suite that holds a client to the cases, and what its driver is made of.
export type { Answer, CallOptions, Client, Driver, Settings, Streamed } from './driver.ts'
export { faultServer, type FaultServer } from './fault-server.ts'
export type { Gap } from './gaps/gap.ts'
export { conform } from './suite.ts'
