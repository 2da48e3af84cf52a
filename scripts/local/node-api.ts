import { setTimeout as pause } from 'node:timers/promises'

const askEveryMs = 100

interface NodeView {
  id: string
  network: { owner: string }
}

interface MembersView {
  members: { member: string; roles: string[]; operator: string; expiresAt: number }[]
}

const answer = async (url: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })
  if (response.ok) return response
  throw new Error(
    `${init.method ?? 'GET'} ${url} answered ${response.status}: ${(await response.text()).slice(0, 500)}`,
  )
}

/** Asks until the question has an answer; throws the last error once `signal` aborts. */
export const eventually = async <T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  for (;;) {
    try {
      return await question()
    } catch (error) {
      if (signal.aborted) throw error
      await pause(askEveryMs)
    }
  }
}

/** What a seeder says about itself. */
export const readNode = async (url: string): Promise<NodeView> =>
  (await (await answer(`${url}/v1/node`)).json()) as NodeView

/** Rejects, with what is missing, while the seeder is not ready. */
export const checkReady = async (url: string): Promise<void> => {
  await (await answer(`${url}/ready`)).body?.cancel()
}

/**
 * Has the owner's node admit a member, unless it did before. One that was admitted before there were auditors becomes one:
 * copies that nobody audits count for nobody.
 */
export const admit = async (ownerUrl: string, token: string, member: string): Promise<void> => {
  const { members } = (await (await answer(`${ownerUrl}/v1/members`)).json()) as MembersView
  const stands = members.filter(({ roles, expiresAt }) => roles.length > 0 && expiresAt > Date.now())
  const known = stands.find((one) => one.member === member)
  if (known?.roles.includes('auditor') === true) return
  const response = await answer(`${ownerUrl}/v1/members`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(known === undefined ? { member } : { ...known, roles: [...known.roles, 'auditor'] }),
  })
  await response.body?.cancel()
}
