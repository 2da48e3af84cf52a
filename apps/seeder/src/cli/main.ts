#!/usr/bin/env node
import { setTimeout } from 'node:timers/promises'
import { EldernodeError } from '@eldernode/core'
import { readCommand } from './command.ts'
import { UsageError } from './errors.ts'
import { runCommand } from './run.ts'

/** EX_USAGE of sysexits.h. */
const exitUsage = 64

try {
  await runCommand(readCommand(process.argv.slice(2), process.env, Date.now()), {
    out: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(text),
    pause: (ms) => setTimeout(ms),
  })
} catch (error) {
  if (!(error instanceof EldernodeError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error instanceof UsageError ? exitUsage : 1
}
