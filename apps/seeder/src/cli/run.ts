import { z } from 'zod'
import { Client } from './client.ts'
import { type Command, help } from './command.ts'
import { drain } from './drain.ts'
import { type Output, printable } from './output.ts'
import { repair, showReplication } from './replication.ts'

const tokenSchema = z.object({
  id: z.string(),
  owner: z.string(),
  label: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.number(),
  expiresAt: z.number().optional(),
})
const listSchema = z.object({ tokens: z.array(tokenSchema) })

/** Does what a command says. @throws UnreachableError, RefusedError */
export async function runCommand(command: Command, output: Output): Promise<void> {
  const { out, note } = output
  if (command.kind === 'help') return out(help)
  const client = new Client(command.node.url, command.node.token)
  if (command.kind === 'replication') return await showReplication(client, command, output)
  if (command.kind === 'repair') return await repair(client, command.id, output)
  if (command.kind === 'drain') return await drain(client, command, output)
  if (command.kind === 'create') {
    const made = await client.ask(tokenSchema.extend({ token: z.string() }), 'POST', '/v1/tokens', command.body)
    note(`${described(made)}\n`)
    return out(`${made.token}\n`)
  }
  if (command.kind === 'revoke') {
    await client.ask(z.undefined(), 'DELETE', `/v1/tokens/${encodeURIComponent(command.id)}`)
    return note(`${command.id} is revoked.\n`)
  }
  const { tokens } = await client.ask(listSchema, 'GET', '/v1/tokens')
  out(
    command.json
      ? `${JSON.stringify(tokens, undefined, 2)}\n`
      : tokens.map((token) => `${described(token)}\n`).join(''),
  )
}

/** One line. Names come from whoever made the token, and must not speak to the terminal. */
function described({ id, owner, label, scopes, expiresAt }: z.output<typeof tokenSchema>): string {
  const end = expiresAt === undefined ? 'until revoked' : `until ${new Date(expiresAt).toISOString()}`
  const words = [id, printable(owner), scopes.join(','), end, ...(label === '' ? [] : [`(${printable(label)})`])]
  return words.join('  ')
}
