export const events = ''
