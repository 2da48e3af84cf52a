import { vi } from 'vitest'

/** Milliseconds. A condition that is waited for may take long on a busy machine; one that never comes costs nothing else. */
const patience = 10_000

const { waitFor, waitUntil } = vi

// The one second that both wait otherwise cannot be configured.
const patient = <T extends object>(options: number | T): number | T =>
  typeof options === 'number' ? options : { timeout: patience, ...options }

vi.waitFor = (callback, options = patience) => waitFor(callback, patient(options))
vi.waitUntil = (callback, options = patience) => waitUntil(callback, patient(options))
