/** What has to hold for this tracker to serve anybody. */
export interface Vitals {
  isListening: () => boolean
  isStopping: () => boolean
  /** Keys that nobody has told yet keep everybody out. */
  areKeysMissing: () => boolean
}

/** Why this process serves nobody, in words for the operator; none when it does. */
export const ailments = ({ isListening, isStopping, areKeysMissing }: Vitals): string[] => {
  if (isStopping()) return ['it is stopping']
  return [
    ...(isListening() ? [] : ['it does not listen on TCP and UDP']),
    ...(areKeysMissing() ? ['it has heard of no passkey yet: its ledger does not answer'] : []),
  ]
}

/** The same of all that are one tracker. @param heard the ailments of each worker that answered */
export const ailmentsOf = (workers: number, heard: readonly unknown[]): string[] => [
  ...(heard.length < workers ? [`${workers - heard.length} of ${workers} workers do not answer`] : []),
  ...new Set(heard.flatMap((one) => (Array.isArray(one) ? one.map(String) : ['a worker talks nonsense']))),
]
