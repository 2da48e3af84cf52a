/** Keys, revoked ones of the last days included. */
export const mostKeys = 1_000_000

/** Infohashes on both lists together. */
export const mostListed = 1_000_000

export const mostBans = 10_000

/** Milliseconds for which what was revoked, taken off a list or lifted is remembered. */
export const remembranceMs = 30 * 86_400_000

/** Of what is remembered no more, so much is forgotten with each change. */
export const forgottenAtOnce = 100

export const greatestTotal = Number.MAX_SAFE_INTEGER

/** Who adds totals is known for so long after its last batch. */
export const sourceMs = 86_400_000
