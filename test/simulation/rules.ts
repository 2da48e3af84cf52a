import { assess, duty, type Proof, type Releases, type Step } from '@eldernode/core'

/** What the nodes live by. A test breaks one to show that the invariants notice. */
export interface Rules {
  assess: typeof assess
  duty: typeof duty
  proof(proof: Proof): Proof
  step(releases: Releases, ...about: Parameters<Releases['step']>): Step
  /** Milliseconds in place of the grace time of the schedule. */
  graceMs?: number
  /** Whether wanted holders that prove nothing are replaced. */
  skips: boolean
}

export const rules: Rules = {
  assess,
  duty,
  proof: (proof) => proof,
  step: (releases, ...about) => releases.step(...about),
  skips: true,
}
