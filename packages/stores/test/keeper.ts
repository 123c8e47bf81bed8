// A process that fetches once through a board with a store, so that the reply is kept, and ends: `node keeper.ts PLACE TARGET URL WALL`.
import { makeClient } from './client.ts'
import { PLACES } from './places.ts'

const [place = '', target = '', url = '', wall = ''] = process.argv.slice(2)
await using opened = await PLACES[place as keyof typeof PLACES](target)
const client = makeClient(opened.store, () => Number(wall))
await (await client.fetch(url)).arrayBuffer()
await client.written(1)
if (client.faults.length > 0) throw new Error(client.faults.join(', '))
