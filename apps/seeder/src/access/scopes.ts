import { z } from 'zod'

/**
 * What a token may do. `media:write`: publish, and change what its owner published; `media:read-private`: read its
 * owner's private items and those it is a reader of; `media:delete`: take its owner's items down; `node:admin`:
 * everything; `members:admin`: admit nodes and deny items; `graph:write`: write to the maps of stock GUN clients;
 * `events:read`: hear of what happens to its owner's items and to public ones.
 */
export const scopeSchema = z.enum([
  'media:write',
  'media:read-private',
  'media:delete',
  'node:admin',
  'members:admin',
  'graph:write',
  'events:read',
])
export type Scope = z.infer<typeof scopeSchema>
