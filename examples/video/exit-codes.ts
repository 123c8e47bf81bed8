// What the exit statuses of the downloader mean.

/** There is no such video. */
export const NOT_FOUND = 4
/** The host did not answer, or not to the end. */
export const NETWORK = 5
