// What the board is told of a host of videos: three failures in a row open its circuit, for two minutes.

/** Milliseconds that a connection may be silent, as `socket_timeout` of yt-dlp; below one second a busy machine is silent, too. */
export function silenceAt(scale: number): number {
  return Math.max(30_000 / scale, 1_000)
}

/** Milliseconds between a body that breaks off and the next try, as long as the circuit lets it. */
export const PAUSE = 10_000

export interface VideoPolicy {
  readonly label: string
  readonly consecutiveFailures: number
  /** Milliseconds. */
  readonly openFor: number
}

/**
 * @param label what people call the circuit
 * @param scale its times are divided by it
 */
export function videoPolicy(label: string, scale: number): VideoPolicy {
  return { label, consecutiveFailures: 3, openFor: 120_000 / scale }
}
