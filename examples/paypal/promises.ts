// What this program promises, checked at its end.
import type { Alert } from '@fuseboard/telemetry/alerts'
import type { Depth } from '@fuseboard/outbox'
import type { Promised } from '../promised.ts'
import type { Order } from './billing.ts'
import type { Summary } from './events.ts'
import type { PayPalServer } from './server.ts'
import type { Tally } from './tally.ts'

export interface Evidence {
  readonly orders: readonly Order[]
  readonly server: PayPalServer
  readonly tally: Tally
  /** What the outbox says of itself. */
  readonly depth: Depth
  /** What the admin was told. */
  readonly alerts: readonly Alert[]
}

/** What came of it, by the server's record. */
export function summaryOf({ orders, server, tally, depth }: Evidence): Summary {
  const each = orders.map(({ email }) => server.subscriptions.filter((one) => one.email === email).length)
  const answers = [...tally.answers.values()]
  return {
    customers: orders.length,
    subscribed: answers.filter(({ status }) => status === 'subscribed').length,
    pended: answers.filter(({ status }) => status === 'pending').length,
    sent: tally.sent.size,
    pending: depth.pending,
    known: server.count('again'),
    conflicts: server.count('conflict'),
    twice: each.filter((count) => count > 1).length,
    lost: each.filter((count) => count === 0).length,
  }
}

/** Each promise, whether it was kept, and the figures. */
export function check(evidence: Evidence): readonly Promised[] {
  const summary = summaryOf(evidence)
  return [none, once, answered, emptied, spared, byHand, renewed, told].map((promise) => promise(evidence, summary))
}

function none(_: Evidence, { customers, lost }: Summary): Promised {
  return {
    promise: 'no subscription was lost, by the record of PayPal',
    kept: lost === 0 && customers > 0,
    reason: `${customers - lost} of ${customers} are there`,
  }
}

function once({ server: { unheard } }: Evidence, { known, conflicts, twice }: Summary): Promised {
  const duplicates = known + conflicts
  return {
    promise: 'none was made twice, although answers got lost after it was made',
    kept: twice === 0 && unheard >= 3 && duplicates > unheard,
    reason: `${unheard} answers lost, ${duplicates} duplicates refused, ${twice} made twice`,
  }
}

function answered({ tally }: Evidence, { customers, subscribed, pended }: Summary): Promised {
  return {
    promise: 'every customer was answered: "subscribed", or "pending" while PayPal could not',
    kept: tally.answers.size === customers && subscribed > 0 && pended > 0,
    reason: `${subscribed} and ${pended} of ${customers}, by the last answer of each`,
  }
}

function emptied({ tally, depth }: Evidence, { pended }: Summary): Promised {
  return {
    promise: 'all that waited went out by itself',
    kept: depth.pending === 0 && depth.dead === 0 && tally.sent.size === pended,
    reason: `${tally.sent.size} of ${pended}, ${depth.pending} wait, ${depth.dead} were given up`,
  }
}

function spared({ server: { asked }, tally: { refused, letThrough, opened } }: Evidence): Promised {
  return {
    promise: 'while its circuit was open PayPal was not asked',
    kept: asked.length <= letThrough && refused > 0 && opened > 1,
    reason: `it opened ${opened} times, ${refused} calls were refused, and ${asked.length} requests came of ${letThrough} let through`,
  }
}

function byHand({ tally }: Evidence): Promised {
  const sent = [...tally.byHand].filter((order) => tally.sent.has(order)).length
  return {
    promise: 'where there was no token to sign with the subscription waited all the same',
    kept: tally.byHand.size > 0 && sent === tally.byHand.size,
    reason: `${tally.byHand.size} queued by hand, ${sent} sent`,
  }
}

function renewed({ server, tally }: Evidence): Promised {
  const refused = server.count('unauthorized')
  return {
    promise: 'a token that was no longer good was renewed, and cost no subscription',
    kept: refused > 0 && server.count('token') > 1 && tally.dead.size === 0,
    reason: `${refused} requests met a 401, ${server.count('token')} tokens in all`,
  }
}

function told({ alerts }: Evidence): Promised {
  const kinds = alerts.map(({ kind }) => kind)
  return {
    promise: 'the admin was told once that PayPal is down, and once that it is back',
    kept: kinds.join() === 'open,recovered',
    reason: `told of: ${kinds.join(', ') || 'nothing'}`,
  }
}
