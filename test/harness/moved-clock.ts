import { readFileSync } from 'node:fs'

// Loaded before a program (NODE_OPTIONS=--import=...): its clock runs ahead by as many milliseconds as the file TEST_CLOCK
// says, read at the start and at each SIGUSR2. Timers go on as they were, as they do on a machine whose clock is set.
const file = process.env['TEST_CLOCK'] ?? ''
const real = Date.now.bind(Date)
let ahead = 0

const read = (): void => {
  ahead = Number(readFileSync(file, 'utf8'))
}

Date.now = () => real() + ahead
read()
process.on('SIGUSR2', read)
