// Runs a scenario: the boards of all its instances on one virtual clock.
import { EventLoop } from './event-loop.ts'
import { Instance } from './instance.ts'
import { Ledger, type Figures } from './ledger.ts'
import { seeded } from './random.ts'
import { END, type Scenario } from './scenario.ts'
import { SimulatedStore } from './store.ts'

/** The same seed gives the same figures. */
export async function simulate(scenario: Scenario, seed = 1): Promise<Figures> {
  const loop = new EventLoop()
  const random = seeded(seed)
  const store = new SimulatedStore(loop, random, scenario.store)
  const ledger = new Ledger(scenario)
  const world = { scenario, loop, random, store, ledger }
  for (let of = 0; of < scenario.size; of++) new Instance(of, world).begin()
  for (const [at, happens] of scenario.troubles) loop.after(at, () => happens(store))
  await loop.runTo(END)
  return ledger.figures(store)
}
