import type { Membership } from '../membership/index.ts'
import { mapOf } from './compat/maps.ts'
import { limits } from './limits.ts'
import type { Link } from './link.ts'
import { readGroup } from './souls.ts'
import type { Group } from './souls.ts'
import type { GunPut } from './wire/gun.ts'

export interface LinkRightsOptions {
  membership: Membership
  /** URLs that the operator configured: their nodes are trusted to hand on what others signed in the past. */
  configured: ReadonlySet<string>
  /** Souls of what is not public begin with it. */
  hiddenPrefix: string
  now: () => number
}

/** What is said to a link, and asked of it. */
export class LinkRights {
  readonly #options: LinkRightsOptions

  constructor(options: LinkRightsOptions) {
    this.#options = options
  }

  /**
   * A stranger may bring the owner's word, by which this node learns who is none; nothing else of it is worth asking
   * for, and what is not public is asked of members only.
   */
  wants(group: Group, link: Link): boolean {
    const { name, hidden } = readGroup(group)
    if (hidden && !link.seesHidden()) return false
    return name === 'owner' || (this.isTrusted(link) && this.#options.membership.knows(name))
  }

  /**
   * What is not public is said to members alone, and so are large values of public maps: one preview said to hundreds
   * of links would take hundreds of megabytes of memory.
   */
  mayHear(link: Link, put: GunPut): boolean {
    const souls = Object.keys(put)
    if (souls.some((soul) => soul.startsWith(this.#options.hiddenPrefix))) return link.seesHidden()
    return link.member || souls.every((soul) => mapOf(soul) === undefined) || charactersOf(put) <= limits.gossip
  }

  /** Certificates come and expire: who is a member may be none any more. */
  judge(link: Link): void {
    const { membership, now } = this.#options
    link.member = link.node !== undefined && membership.isMember(link.node, 'any', now())
  }

  /** Whether it may hand on what others signed in the past. */
  isTrusted(link: Link): boolean {
    return link.member || (link.node !== undefined && this.#options.configured.has(link.address ?? ''))
  }
}

function charactersOf(put: GunPut): number {
  let characters = 0
  for (const node of Object.values(put)) {
    for (const value of Object.values(node)) if (typeof value === 'string') characters += value.length
  }
  return characters
}
