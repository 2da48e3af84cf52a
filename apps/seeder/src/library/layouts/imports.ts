export const imports = ''
