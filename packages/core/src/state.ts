// The words for what a circuit is doing.

/**
 * `closed`: calls go through. `open`: they are refused. `half-open`: a few may probe.
 * `isolated` and `bypassed` are holds put on by hand: held open, held closed.
 */
export type State = 'closed' | 'open' | 'half-open' | 'isolated' | 'bypassed'

/** Why a call is refused. */
export type RefusalReason = 'open' | 'probing' | 'paused' | 'isolated' | 'throttled' | 'full'
