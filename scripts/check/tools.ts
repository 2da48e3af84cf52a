import { spawnSync } from 'node:child_process'

/** A program that some tests or benchmarks drive and nobody here wrote. */
export interface Tool {
  name: string
  debianPackage: string
  /** A command that succeeds when the tool is there. */
  probe: readonly [string, ...string[]]
}

const onPath = (name: string): Tool['probe'] => ['sh', '-c', `command -v ${name}`]

const tools: readonly Tool[] = [
  {
    name: 'transmission-cli',
    debianPackage: 'transmission-cli',
    probe: ['sh', '-c', 'command -v transmission-cli && command -v transmission-create'],
  },
  { name: 'aria2c', debianPackage: 'aria2', probe: onPath('aria2c') },
  {
    name: 'libtorrent',
    debianPackage: 'python3-libtorrent',
    // Debian's own Python: another one on the PATH does not see its packages.
    probe: ['/usr/bin/python3', '-c', 'import libtorrent'],
  },
  { name: 'chromium', debianPackage: 'chromium', probe: onPath('chromium') },
  { name: 'systemd-analyze', debianPackage: 'systemd', probe: onPath('systemd-analyze') },
  { name: 'age', debianPackage: 'age', probe: onPath('age') },
  { name: 'yt-dlp', debianPackage: 'yt-dlp', probe: onPath('yt-dlp') },
  { name: 'ffmpeg', debianPackage: 'ffmpeg', probe: ['sh', '-c', 'command -v ffmpeg && command -v ffprobe'] },
  { name: 'ip', debianPackage: 'iproute2', probe: onPath('ip') },
  { name: 'curl', debianPackage: 'curl', probe: onPath('curl') },
  { name: 'jq', debianPackage: 'jq', probe: onPath('jq') },
  { name: 'nginx', debianPackage: 'nginx-light', probe: onPath('nginx') },
  { name: 'opentracker', debianPackage: 'opentracker', probe: onPath('opentracker') },
  { name: 'gcc', debianPackage: 'gcc', probe: onPath('gcc') },
  { name: 'wrk', debianPackage: 'wrk', probe: onPath('wrk') },
  { name: 'strace', debianPackage: 'strace', probe: onPath('strace') },
  { name: 'rtorrent', debianPackage: 'rtorrent', probe: onPath('rtorrent') },
  { name: 'redis-server', debianPackage: 'redis-server', probe: onPath('redis-server') },
]

export interface MissingTool {
  tool: Tool
  reason: string
}

const toolOf = (name: string): Tool => {
  const tool = tools.find((one) => one.name === name)
  if (tool === undefined)
    throw new Error(`there is no tool ${name}: name one of ${tools.map((one) => one.name).join(', ')}`)
  return tool
}

const isThere = ({ probe: [command, ...args] }: Tool): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0

/** Runs apt-get; the last line it printed when it fails. */
const aptGet = (...args: string[]): string | undefined => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr, error } = spawnSync('apt-get', args, { env, encoding: 'utf8', timeout: 900_000 })
  if (status === 0) return undefined
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? `apt-get ended with ${status}`
}

/**
 * Installs what is missing where that is allowed, and tells what cannot be had, and why. Without names: every tool.
 * @throws Error for a name that no tool has
 */
export const provideTools = (say: (line: string) => void, names?: readonly string[]): MissingTool[] => {
  const missing = (names?.map(toolOf) ?? tools).filter((tool) => !isThere(tool))
  if (missing.length === 0) return []
  const refusal = whyNoApt()
  if (refusal !== undefined) return missing.map((tool) => ({ tool, reason: `not installed, and ${refusal}` }))
  say(`installing ${missing.map(({ debianPackage }) => debianPackage).join(' ')} ...`)
  const update = aptGet('update')
  return missing.flatMap((tool) => {
    const failure = aptGet('install', '--yes', '--no-install-recommends', tool.debianPackage)
    if (isThere(tool)) return []
    return [
      {
        tool,
        reason: `apt-get cannot install ${tool.debianPackage}: ${failure ?? update ?? 'it brings no such program'}`,
      },
    ]
  })
}

const whyNoApt = (): string | undefined => {
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return 'there is no apt-get'
  return process.getuid?.() === 0 ? undefined : 'only root may use apt-get'
}
