export const tokens = ''
