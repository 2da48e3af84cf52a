import { beforeAll, describe, expect, test } from 'vitest'
import { seal } from '../envelope/index.ts'
import { WebIdentity, WebVerifier } from '../identity/index.ts'
import type { Verifier } from '../identity/index.ts'
import { Membership } from '../membership/index.ts'
import type { Certificate } from '../membership/index.ts'
import { auditKey, packTags } from '../proof/index.ts'
import type { AuditResult } from '../proof/index.ts'
import { heartbeatOf, manifestOf } from '../testing/bodies.ts'
import { Guard } from './guard.ts'
import type { Source } from './guard.ts'
import type { Entry, Kind } from './port.ts'
import { locate } from './souls.ts'
import type { Candidate } from './wire/message.ts'

const now = 1_800_000_000_000
const hour = 3_600_000
const infoHash = 'ab'.repeat(20)
const reader = '0f'.repeat(16)
const everyRole: Certificate['roles'] = ['publisher', 'seeder', 'auditor']
const tag = infoHash.slice(0, 16)
const found: AuditResult = { passedAt: now, proven: packTags([tag]), failed: [] }

let owner: WebIdentity
let member: WebIdentity
let stranger: WebIdentity

beforeAll(async () => {
  ;[owner, member, stranger] = await Promise.all([
    WebIdentity.generate(),
    WebIdentity.generate(),
    WebIdentity.generate(),
  ])
})

function certificate(more: Partial<Certificate> = {}): Certificate {
  return { member: member.id, roles: everyRole, operator: '', issuedAt: now, expiresAt: now + hour, ...more }
}

interface Setting {
  present?: Entry
  certificates?: [Certificate, number][]
  source?: Partial<Source>
  full?: boolean
  verifier?: Verifier
  open?: boolean
  /** Gets who is said to be out of time. */
  outOfTime?: string[]
}

async function admit(candidates: Candidate[], setting: Setting = {}) {
  const membership = new Membership(owner.id, setting.open ?? false)
  for (const [given, ts] of setting.certificates ?? [[certificate(), now - hour]]) membership.certify(given, ts)
  const refused: string[] = []
  const guard = new Guard({
    network: membership.network,
    membership,
    verifier: setting.verifier ?? new WebVerifier(),
    now: () => now,
    present: () => setting.present,
    hasRoom: () => setting.full !== true,
    outOfTime: (pub) => setting.outOfTime?.push(pub),
  })
  const refuse = (reason: string): undefined => void refused.push(reason)
  const passed = await guard.admit(candidates, { trusted: false, maySpendCheck: () => true, refuse, ...setting.source })
  return { passed, refused }
}

async function value(
  kind: Kind,
  name: string,
  body: object,
  more: { by?: WebIdentity; ts?: number; hidden?: boolean } = {},
) {
  const { by = member, ts = now, hidden = false } = more
  const { network } = new Membership(owner.id, false)
  const where = locate(network, kind, by.id, name, hidden)
  if (where === undefined) throw new Error(`no place for ${name}`)
  return { ...where, state: ts, value: await seal({ kind, network, ts, body }, by) }
}

const manifest = (more: { by?: WebIdentity; ts?: number } = {}) => value('m', infoHash, manifestOf(infoHash), more)

describe('what passes', () => {
  test('a member in its role, and its owner', async () => {
    const empty = { held: [], releasing: [], refused: [] }
    const candidates = await Promise.all([
      manifest(),
      value('h', 'ab', { ...empty, held: [infoHash] }),
      value('hb', '', heartbeatOf()),
      value('g', `${infoHash}.${reader}`, { infoHash, reader, wrapped: 'AAAA' }),
      value('p', stranger.id, certificate({ member: stranger.id }), { by: owner }),
      value('d', infoHash, { infoHash, state: 'denied' }, { by: owner }),
      value('o', '1', { owner: stranger.id }, { by: owner }),
    ])
    candidates.splice(4, 0, await value('a', auditKey(owner.id, 'ab'), found))
    const { passed, refused } = await admit(candidates, {
      certificates: [
        [certificate(), now - hour],
        [certificate({ member: owner.id, roles: [] }), now - hour],
      ],
    })
    expect(refused).toEqual([])
    expect(passed.map(({ accepted }) => accepted.kind)).toEqual(['m', 'h', 'hb', 'g', 'a', 'p', 'd', 'o'])
    expect(passed[0]?.accepted).toMatchObject({ pub: member.id, ts: now, key: infoHash, body: manifestOf(infoHash) })
    expect(passed[0]?.entry.value).toBe(candidates[0]?.value)
  })

  test('order is kept when signatures are checked later', async () => {
    const delays = [30, 0, 10]
    const verifier: Verifier = {
      verify: () => new Promise((resolve) => setTimeout(() => resolve(true), delays.shift() ?? 0)),
    }
    const hashes = ['aa', 'bb', 'cc'].map((two) => two.repeat(20))
    const candidates = await Promise.all(hashes.map((hash) => value('m', hash, manifestOf(hash))))
    const { passed } = await admit(candidates, { verifier })
    expect(passed.map(({ entry }) => entry.key)).toEqual(hashes)
  })

  test('an open network admits everybody', async () => {
    const { passed } = await admit([await manifest({ by: stranger })], { open: true })
    expect(passed).toHaveLength(1)
  })

  test('what lies there already is neither refused nor verified again', async () => {
    const { soul, key, state, value: text } = await manifest()
    const present = { soul, key, ts: state, value: text }
    const verifier = { verify: () => expect.unreachable() }
    expect(await admit([{ soul, key, state, value: text }], { present, verifier })).toEqual({ passed: [], refused: [] })
  })
})

describe('what is refused', () => {
  const refusal = async (candidate: Candidate, setting?: Setting): Promise<string[]> => {
    const { passed, refused } = await admit([candidate], setting)
    expect(passed).toEqual([])
    return refused
  }

  test('a forged or tampered value', async () => {
    const good = await manifest()
    const forged = await value('m', infoHash, manifestOf(infoHash), { by: stranger })
    expect(await refusal({ ...forged, soul: good.soul })).toEqual(['signer'])
    expect(await refusal({ ...good, value: good.value.replace('film.mp4', 'evil.mp4') })).toEqual(['bad_signature'])
    const renamed = forged.value.replace(stranger.id, member.id)
    expect(await refusal({ ...good, value: renamed })).toEqual(['bad_signature'])
  })

  test('a text that is no envelope, or not the canonical one', async () => {
    const good = await manifest()
    for (const text of ['', 'null', '[]', '"x"', '{', 'not json', `${good.value} `]) {
      expect(await refusal({ ...good, value: text }), text).toEqual(['malformed_envelope'])
    }
  })

  test('a replay: an older value, or an old one whose state was raised', async () => {
    const [old, newer] = await Promise.all([manifest({ ts: now - 10 }), manifest()])
    const present = { soul: newer.soul, key: newer.key, ts: newer.state, value: newer.value }
    expect(await refusal(old, { present })).toEqual(['stale'])
    expect(await refusal({ ...old, state: now + 10 }, { present })).toEqual(['state'])
  })

  test('a value of the future, and a heartbeat of the past', async () => {
    expect(await refusal(await manifest({ ts: now + 5 * 60_000 + 1 }))).toEqual(['future'])
    expect((await admit([await manifest({ ts: now + 5 * 60_000 })])).passed).toHaveLength(1)
    const old = await value('hb', '', heartbeatOf(), { ts: now - 5 * 60_000 - 1 })
    expect(await refusal(old)).toEqual(['old_heartbeat'])
  })

  test('a heartbeat out of time, which is told when it is truly of a member, by another one', async () => {
    const [late, early] = await Promise.all(
      [-6, 6].map((minutes) => value('hb', '', heartbeatOf(), { ts: now + minutes * 60_000 })),
    )
    const outOfTime: string[] = []
    const told = { outOfTime, source: { trusted: true } }
    expect([await refusal(late!, told), await refusal(early!, told)]).toEqual([['old_heartbeat'], ['future']])
    expect(outOfTime).toEqual([member.id, member.id])
    const bare = async (candidate: Candidate, change: Setting) => {
      await refusal(candidate, { ...told, ...change })
      expect(outOfTime).toHaveLength(2)
    }
    await bare(late!, { source: { trusted: false } })
    await bare(late!, { source: { trusted: true, maySpendCheck: () => false } })
    await bare(late!, { certificates: [] })
    await bare({ ...late!, state: late!.state - 1 }, {})
    await bare({ ...late!, value: late!.value.replace('"ts":1', '"ts":2') }, {})
  })

  test('a value under a key, in a place or of a kind that is not its own', async () => {
    const good = await manifest()
    const other = 'cd'.repeat(20)
    expect(await refusal({ ...good, key: other })).toEqual(['key'])
    expect(await refusal({ ...good, soul: 'constructor' })).toEqual(['soul'])
    expect(await refusal({ ...good, soul: good.soul.replace(/^en1\/.{16}/, `en1/${'x'.repeat(16)}`) })).toEqual([
      'soul',
    ])
    const elsewhere = await value('m', other, manifestOf(infoHash))
    expect(await refusal(elsewhere)).toEqual(['body'])
    const beat = await value('hb', '', heartbeatOf())
    expect(await refusal({ ...good, value: beat.value })).toEqual(['kind'])
    const holding = await value('h', 'cd', { held: [infoHash], releasing: [], refused: [] })
    expect(await refusal(holding)).toEqual(['body'])
    const certified = await value('p', member.id, certificate({ member: stranger.id }), { by: owner })
    expect(await refusal(certified)).toEqual(['body'])
  })

  test.each(['unlisted', 'private'] as const)('%s items where all may see them, public ones hidden', async (access) => {
    const body = { ...manifestOf(infoHash), access }
    expect(await refusal(await value('m', infoHash, body))).toEqual(['body'])
    expect((await admit([await value('m', infoHash, body, { hidden: true })])).passed[0]?.accepted.hidden).toBe(true)
    expect(await refusal(await value('m', infoHash, manifestOf(infoHash), { hidden: true }))).toEqual(['body'])
  })

  test("a grant or a denial of another item, another reader's grant, a denial by a member", async () => {
    const other = 'cd'.repeat(20)
    const key = `${infoHash}.${reader}`
    expect(await refusal(await value('g', key, { infoHash: other, reader }))).toEqual(['body'])
    expect(await refusal(await value('g', key, { infoHash, reader: 'ff'.repeat(16) }))).toEqual(['body'])
    expect(await refusal(await value('g', key, { infoHash, reader }, { by: stranger }))).toEqual(['stranger'])
    const denial = { infoHash, state: 'denied' }
    for (const hidden of [false, true]) {
      expect(await refusal(await value('d', infoHash, denial, { hidden }))).toEqual(['signer'])
    }
    expect(await refusal(await value('d', infoHash, { ...denial, infoHash: other }, { by: owner }))).toEqual(['body'])
  })

  test("audits of others' items, of oneself, of who never was a member, and by who may not audit", async () => {
    const key = auditKey(owner.id, 'ab')
    const certificates: [Certificate, number][] = [
      [certificate(), now - hour],
      [certificate({ member: owner.id }), now - hour],
    ]
    const astray = { ...found, proven: packTags([tag, 'cd'.repeat(8)]) }
    expect(await refusal(await value('a', key, astray), { certificates })).toEqual(['body'])
    expect(await refusal(await value('a', key, { ...found, proven: 'AAAA' }), { certificates })).toEqual(['schema'])
    expect(await refusal(await value('a', auditKey(stranger.id, 'ab'), found), { certificates })).toEqual(['holder'])
    const own = await value('a', key, found)
    expect(await refusal({ ...own, key: auditKey(member.id, 'ab') }, { certificates })).toEqual(['key'])
    const seeder: [Certificate, number][] = [[certificate({ roles: ['seeder', 'publisher'] }), now - hour]]
    expect(await refusal(own, { certificates: [...seeder, certificates[1]!] })).toEqual(['stranger'])
    const large = { ...found, more: 'x'.repeat(40_960) }
    expect(
      await refusal(await value('a', key, found).then((one) => ({ ...one, value: JSON.stringify(large) })), {
        certificates,
      }),
    ).toEqual(['size'])
  })

  test('a body that its schema does not know, signed though it is', async () => {
    const body = { ...manifestOf(infoHash), pieceLength: 5 }
    expect(await refusal(await value('m', infoHash, body))).toEqual(['schema'])
    const escaping = { ...manifestOf(infoHash), name: '../../etc/passwd' }
    expect(await refusal(await value('m', infoHash, escaping))).toEqual(['schema'])
  })

  test('an oversized value, before it is parsed', async () => {
    const good = await manifest()
    expect(await refusal({ ...good, value: `{"body":"${'x'.repeat(8192)}"}` })).toEqual(['size'])
  })

  test('strangers, whatever they sign, certificates included', async () => {
    expect(await refusal(await manifest({ by: stranger }))).toEqual(['stranger'])
    const self = certificate({ member: stranger.id })
    expect(await refusal(await value('p', stranger.id, self, { by: stranger }))).toEqual(['signer'])
    expect(await refusal(await value('o', '1', { owner: stranger.id }, { by: stranger }))).toEqual(['signer'])
    expect(await refusal(await value('o', '2', { owner: stranger.id }, { by: owner }))).toEqual(['signer'])
  })

  test('a member outside its role', async () => {
    const certificates: [Certificate, number][] = [[certificate({ roles: ['seeder'] }), now - hour]]
    expect(await refusal(await manifest(), { certificates })).toEqual(['stranger'])
    expect((await admit([await value('hb', '', heartbeatOf())], { certificates })).passed).toHaveLength(1)
  })

  test('a revoked or expired member; what it signed before comes from trusted links only', async () => {
    const revoked: [Certificate, number][] = [[certificate({ roles: [] }), now - 1000]]
    const expired: [Certificate, number][] = [[certificate({ expiresAt: now - 1000 }), now - hour]]
    for (const certificates of [revoked, expired]) {
      const [before, after] = await Promise.all([manifest({ ts: now - 2000 }), manifest()])
      expect(await refusal(before, { certificates })).toEqual(['revoked'])
      expect(await refusal(after, { certificates, source: { trusted: true } })).toEqual(['stranger'])
      expect((await admit([before], { certificates, source: { trusted: true } })).passed).toHaveLength(1)
      const beat = await value('hb', '', heartbeatOf(), { ts: now - 2000 })
      expect(await refusal(beat, { certificates, source: { trusted: true } })).toEqual(['revoked'])
    }
  })

  test('more than the quota or the allowance of signature checks', async () => {
    expect(await refusal(await manifest(), { full: true })).toEqual(['quota'])
    expect(await refusal(await manifest(), { source: { maySpendCheck: () => false } })).toEqual(['check_rate'])
  })
})
