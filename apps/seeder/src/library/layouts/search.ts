export const search = ''
