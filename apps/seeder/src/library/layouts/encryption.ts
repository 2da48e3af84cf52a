export const encryption = ''
