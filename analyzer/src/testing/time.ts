/** 2026-11-23T06:00:00Z in microseconds since the epoch: when every test begins. */
export const startUs = 1_795_413_600_000_000

export const secondUs = 1_000_000

/** A moment so many seconds after `startUs`. */
export const at = (seconds: number) => startUs + seconds * secondUs
