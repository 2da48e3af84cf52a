export { acceptGun } from './accept.ts'
export { createDial } from './dial.ts'
